"""Help: a page for each widget, its chapter in the manual, and the log."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

import napari_blurgan
from napari_blurgan.widgets._log import LogWindow

__all__ = ["chapter", "dialog", "help_buttons"]

PACKAGE = Path(napari_blurgan.__file__).parent
MANUALS = (PACKAGE / "docs" / "napari.md", PACKAGE.parents[1] / "docs" / "napari.md")
"""Paths in an installation, and in a clone."""
CHAPTERS = {"psf": "PSF"}
"""Chapters of the manual whose titles differ from the names of the modules."""
MORE = "\n\n[More in the manual…](manual)"


def help_buttons(module: str) -> QWidget:
    """Return **?**, which shows the docstring of a module, and a button for the log."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for text, tooltip, slot in (
        ("?", "Help for this widget", lambda: _show_help(row, module)),
        ("Log…", "All messages of the widgets", lambda: LogWindow(row).show()),
    ):
        button = QPushButton(text, row)
        button.setToolTip(tooltip)
        button.clicked.connect(slot)
        layout.addWidget(button)
        if len(text) == 1:
            button.setFixedWidth(button.sizeHint().height())
    return row


def _show_help(parent: QWidget, module: str) -> None:
    text = inspect.getdoc(sys.modules[module]) or ""
    name = module.rpartition(".")[2]
    more = chapter(CHAPTERS.get(name, name.capitalize()))
    shown = dialog(parent, "Help", text + MORE * bool(more), markdown=True)
    page = shown.findChild(QTextBrowser)
    page.setOpenLinks(False)
    page.anchorClicked.connect(lambda _: _show_chapter(shown, more))
    shown.open()


def _show_chapter(parent: QWidget, text: str) -> None:
    shown = dialog(parent, "Manual", "", markdown=True)
    page = shown.findChild(QTextBrowser)
    page.setMarkdown(text)
    shown.open()


def chapter(title: str) -> str:
    """Return a chapter of the manual in Markdown; empty if there is none."""
    manual = _manual()
    whole = manual.read_text(encoding="utf-8") if manual else ""
    found = re.search(rf"^## {title}\n.*?(?=^## |\Z)", whole, re.DOTALL | re.MULTILINE)
    # Without pictures, which are wider than the page.
    return re.sub(r"^!\[.*$", "", found[0], flags=re.MULTILINE) if found else ""


def _manual() -> Path | None:
    return next((path for path in MANUALS if path.exists()), None)


def dialog(parent: QWidget, title: str, text: str, *, markdown: bool) -> QDialog:
    """Return a dialog with a page of text."""
    made = QDialog(parent)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    made.setWindowTitle(title)
    made.resize(560, 420)
    page = QTextBrowser(made)
    page.setOpenExternalLinks(True)
    (page.setMarkdown if markdown else page.setPlainText)(text)
    QVBoxLayout(made).addWidget(page)
    return made
