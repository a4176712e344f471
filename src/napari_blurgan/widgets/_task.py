"""`TaskWidget`: a widget that does one thing at a time, in a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error
from qtpy.QtWidgets import QWidget

from napari_blurgan.errors import BlurGANError
from napari_blurgan.widgets._closing import PATIENCE, CloseGuard, Disposal
from napari_blurgan.widgets._context_menu import offer_on_layers
from napari_blurgan.widgets._controls import Messages, Phase, RunControl, duration
from napari_blurgan.widgets._docks import Tabbed
from napari_blurgan.widgets._worker import Failure, Job, Report

if TYPE_CHECKING:
    import napari

__all__ = ["RunWidget", "TaskWidget"]

Work = Callable[[Report], Any]


class TaskWidget(QWidget):
    """One job at a time; errors are reported, and the widget stays usable.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where results go.
    task : str
        What runs.
    """

    def __init__(self, napari_viewer: napari.Viewer, task: str) -> None:
        super().__init__()
        self.task = task
        self._viewer = napari_viewer
        self._job: Job | None = None
        self.messages = Messages()
        offer_on_layers()
        Disposal(self, napari_viewer, self.let_go)
        Tabbed(self, napari_viewer)

    def launch(
        self, prepare: Callable[[], Work], show: Callable[[Any], object]
    ) -> None:
        """Run what `prepare` returns in a thread, and show its result.

        Parameters
        ----------
        prepare : callable
            Reads the fields, here and now; a `BlurGANError` of its is shown.
        show : callable
            Called with the result, in the thread of the widgets.
        """
        if self._job is not None:
            return
        self.messages.reset()
        try:
            work = prepare()
        except BlurGANError as error:
            self.messages.refuse(error)
            return
        job = self._job = Job(work, self)
        job.reported.connect(self.heard)
        job.returned.connect(show)
        job.failed.connect(self._failed)
        job.ended.connect(self._ended)
        question = f"{self.task.capitalize()} is under way. Stop it? Nothing is kept."
        CloseGuard(self, job, lambda: job.finish(PATIENCE), self._viewer, question)
        self.set_busy(True)
        job.start()

    def heard(self, events: list[Any]) -> None:
        """Handle reports of the job; text is shown."""
        for event in events:
            self.messages.note(f"Note: {event}")

    def set_busy(self, busy: bool) -> None:
        """Enable or disable what must not be changed meanwhile."""

    def let_go(self) -> None:
        """Remove what the widget has added to the viewer; it is being closed."""

    def _failed(self, failure: Failure) -> None:
        self.messages.add_failure(failure)
        show_error(failure.sentence)

    def _ended(self) -> None:
        self._job = None
        self.set_busy(False)


class RunWidget(TaskWidget):
    """A long task: with Start, Cancel and a progress bar.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where results go.
    task : str
        What runs, for napari's activity dock.
    """

    def __init__(self, napari_viewer: napari.Viewer, task: str) -> None:
        super().__init__(napari_viewer, task)
        self.run = RunControl(task, stop="Cancel")
        self.run.stop.connect(self._cancel)

    def launch(
        self, prepare: Callable[[], Work], show: Callable[[Any], object]
    ) -> None:
        """Run what `prepare` returns, without messages of an earlier run."""
        if self._job is None:
            self.run.say("")
        super().launch(prepare, show)

    def set_busy(self, busy: bool) -> None:
        """Update the buttons."""
        if busy:
            self.run.say("Loading…")
        elif self.run.phase is Phase.STOPPING:
            self.run.say("Cancelled.")
        self.run.phase = Phase.RUNNING if busy else Phase.IDLE

    def show_progress(self, what: str, done: int, total: int, seconds: float) -> None:
        """Show the progress and the remaining time."""
        words = f"{what} {done} of {total} · {duration(seconds)} left"
        self.run.show_progress(done / total, words)

    def _failed(self, failure: Failure) -> None:
        self.run.say("")
        super()._failed(failure)

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self.run.phase = Phase.STOPPING
