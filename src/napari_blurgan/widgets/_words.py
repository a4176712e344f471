"""Labels for plain text: a layer may have any name, including markup."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

__all__ = ["escaped", "plain"]


def plain(text: str = "") -> QLabel:
    """Return a label whose text is never interpreted as markup."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setText(text)
    return label


def escaped(text: str) -> str:
    """Return text escaped for a place that interprets markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")
