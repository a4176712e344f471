"""Labels for plain text: a layer may have any name, including markup."""

from __future__ import annotations

import re

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

__all__ = ["HERE", "breakable", "escaped", "plain"]

PIECE = re.compile(r"([/\\._-]|[^\s/\\._-]{12})(?=\S)")
"""What in a path a line may end after."""
HERE = "\u200b"
"""Where a line may end, seen by nobody."""


def plain(text: str = "") -> QLabel:
    """Return a label whose text is never interpreted as markup."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setText(text)
    return label


def breakable(path: object) -> str:
    """Return a path that may go over several lines, so that it widens no dock."""
    return PIECE.sub(rf"\1{HERE}", str(path))


def escaped(text: str) -> str:
    """Return text escaped for a place that interprets markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")
