"""All messages of the widgets, with times, in a separate window."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from pathlib import Path

from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

__all__ = ["LOG", "Log", "LogWindow"]

MOST = 5000
"""Number of lines that are kept."""


class Log(QObject):
    """Messages as they arrive; views listen."""

    added = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=MOST)

    def write(self, words: str) -> None:
        """Store a sentence, or a traceback, with the time."""
        line = f"{datetime.now():%H:%M:%S}  {words}"
        self.lines.append(line)
        self.added.emit(line)


LOG = Log()


class LogWindow(QDialog):
    """The log, growing while it is open; it may stay open next to napari.

    Parameters
    ----------
    parent : QWidget
        Closes it, when it goes.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("BlurGAN: log")
        self.resize(640, 420)
        self.text = QPlainTextEdit("\n".join(LOG.lines))
        self.text.setReadOnly(True)
        self.text.setAccessibleName("Log")
        self.text.setMaximumBlockCount(MOST)
        LOG.added.connect(self.text.appendPlainText)
        self.copy_button = self._button("Copy", "Copy everything", self._copy)
        self.save_button = self._button("Save…", "Save to a file", self._save)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.copy_button)
        buttons.addWidget(self.save_button)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addLayout(buttons)

    def _button(self, text: str, tooltip: str, slot: object) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tooltip)
        button.setAutoDefault(False)
        button.clicked.connect(slot)
        return button

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())

    def _save(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Save the log", "blurgan.log")
        if chosen:
            Path(chosen).write_text(self.text.toPlainText() + "\n", encoding="utf-8")
