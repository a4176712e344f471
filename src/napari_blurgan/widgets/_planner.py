"""`Planner`: what a run would take, or why it cannot start, before Start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QLabel, QWidget

from napari_blurgan.errors import BlurGANError
from napari_blurgan.widgets._readiness import NOT_READY, SOON
from napari_blurgan.widgets._words import plain
from napari_blurgan.widgets._worker import Job, Report

__all__ = ["Planner"]


class Planner:
    """Estimates in a thread what the form would take, a moment after its last change.

    Parameters
    ----------
    widget : QWidget
        Owns it.
    ask : callable
        Returns what to run for an estimate; raises the error that Start would be
        answered with.
    words : callable
        Returns an estimate as text.
    busy : callable
        Whether a run is under way: its estimate stays.
    """

    def __init__(
        self,
        widget: QWidget,
        ask: Callable[[], Callable[[Report], Any]],
        words: Callable[[Any], str],
        busy: Callable[[], bool],
    ) -> None:
        self._widget = widget
        self._ask, self._words, self._busy = ask, words, busy
        self.label: QLabel = plain()
        self.label.setWordWrap(True)
        self.label.hide()
        self.job: Job | None = None
        self._timer = QTimer(widget, singleShot=True, interval=SOON)
        self._timer.timeout.connect(self._plan)

    def soon(self, *changed: object) -> None:
        """Estimate anew: the form has changed."""
        self.say("")
        self._timer.start()

    def say(self, words: str) -> None:
        """Show an estimate."""
        self.label.setText(words)
        self.label.setVisible(bool(words))

    def _plan(self) -> None:
        if self.job is not None or self._busy():
            self._timer.start()  # later: what is under way is of another form
            return
        try:
            job = self.job = Job(self._ask(), self._widget)
        except BlurGANError as error:
            self.say(f"{NOT_READY}{error}")
            return
        job.returned.connect(lambda found: self._found(self._words(found)))
        job.failed.connect(lambda failure: self._found(failure.sentence))
        job.ended.connect(self._ended)
        job.start()

    def _found(self, words: str) -> None:
        if not self._timer.isActive():
            self.say(words)

    def _ended(self) -> None:
        self.job = None
