"""Labels that show text as it is: a layer may be called anything, markup included."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

__all__ = ["escaped", "plain"]


def plain(text: str = "") -> QLabel:
    """Return a label whose text is never taken for markup."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setText(text)
    return label


def escaped(text: str) -> str:
    """Return text for a place that takes markup, as it is to be read."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")
