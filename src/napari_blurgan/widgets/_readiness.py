"""What is missing before Start, shown a moment after a form was changed."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QLabel

from napari_blurgan.errors import BlurGANError

__all__ = ["NOT_READY", "Readiness"]

NOT_READY = "Not ready yet: "
SOON = 300
"""Milliseconds after a change until the form is checked."""


class Readiness(QLabel):
    """Shows why a form cannot be started yet; hidden if it can.

    Parameters
    ----------
    check : callable
        Raises the error that Start would be answered with.
    busy : callable
        Whether something runs already: nothing is said then.
    """

    def __init__(self, check: Callable[[], None], busy: Callable[[], bool]) -> None:
        super().__init__()
        self._try, self._busy = check, busy
        # A layer may have any name, including markup.
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.hide()
        self._timer = QTimer(self, singleShot=True, interval=SOON)
        self._timer.timeout.connect(self._check)

    def soon(self) -> None:
        """Check the form a moment after its last change."""
        self._timer.start()

    @property
    def pending(self) -> bool:
        """Whether the last change has not been checked yet."""
        return self._timer.isActive()

    def _check(self) -> None:
        try:
            self._try()
        except BlurGANError as error:
            self.setText(f"{NOT_READY}{error}")
        else:
            self.setText("")
        self.setVisible(bool(self.text()) and not self._busy())
