"""`LearningWidget`: shared by the widgets that train."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QPushButton, QWidget

from napari_blurgan.monitoring.events import (
    Event,
    Finished,
    Preparing,
    Stepped,
    Warned,
)
from napari_blurgan.widgets import _state
from napari_blurgan.widgets._closing import PATIENCE, CloseGuard
from napari_blurgan.widgets._context_menu import offer_on_layers
from napari_blurgan.widgets._controls import (
    Messages,
    Phase,
    RunControl,
    button,
    duration,
)
from napari_blurgan.widgets._docks import Tabbed
from napari_blurgan.widgets._plots import LossPlot
from napari_blurgan.widgets._remedies import remedy
from napari_blurgan.widgets._worker import Failure, TrainingJob

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari

    from napari_blurgan.widgets._live import Fields
    from napari_blurgan.widgets._worker import Report, Trains

__all__ = ["LearningWidget"]

ENDS = {"stopped": "Stopped", "budget": "Done: the time is up", "completed": "Done"}
NOTHING = "Stopped before the first step: there is no model."
UNCHANGED = "Stopped before another step: the model is unchanged."
STOP_LEARNING = "Training is under way. Stop it? What has been learned so far is kept."


class LearningWidget(QWidget):
    """One training at a time: started, paused and stopped; its reports are shown.

    A subclass creates the `run` control, the `plot` and the `messages`, connects
    `run.start`, and then calls `_connect`.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Whose layers to use, and where to show what is learned.
    draw : int
        Milliseconds between two changes of what is seen.
    """

    run: RunControl
    plot: LossPlot
    messages: Messages

    def __init__(self, napari_viewer: napari.Viewer, draw: int) -> None:
        super().__init__()
        self._viewer = napari_viewer
        offer_on_layers()
        Tabbed(self, napari_viewer)
        self._job: TrainingJob | None = None
        self._goes_on = False
        self._latest: dict[type, Event] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(draw)
        self._timer.timeout.connect(self._draw)

    def _connect(self) -> None:
        self.run.pause.connect(self._pause)
        self.run.resume.connect(self._resume)
        self.run.stop.connect(self._stop)

    def _continue_button(self) -> QPushButton:
        return button(
            "Continue…",
            "Train a model further on the ticked images: the last one, or any other",
            self._ask_to_continue,
        )

    # --- what it does

    def _launch(self, make: Callable[[Report], Trains], goes_on: bool = False) -> None:
        """Train what `make` returns, in a thread; whether it is a model already."""
        self._goes_on = goes_on
        job = self._job = TrainingJob(make, self)
        job.reported.connect(self._on_events)
        job.failed.connect(self._on_failure)
        job.ended.connect(self._on_end)
        CloseGuard(self, job, self._finish, self._viewer, STOP_LEARNING)
        self.run.phase = Phase.RUNNING
        self.run.say("Loading…")
        self._timer.start()
        job.start()

    def _ask_to_continue(self) -> None:
        last = str(next(iter(_state.models.list()), _state.preference("models") or ""))
        chosen = QFileDialog.getExistingDirectory(self, "Model to train further", last)
        if chosen:
            self.continue_model(Path(chosen))

    def continue_model(self, folder: Path) -> None:
        """Train a model further, with its own recipe, on the images that are ticked."""

    def _finish(self) -> None:
        """Stop within seconds: the widget is being closed."""
        if self._job is not None:
            self._job.finish(PATIENCE)

    def _pause(self) -> None:
        if self._job is not None:
            self._job.pause()
            self.run.phase = Phase.PAUSED

    def _resume(self) -> None:
        if self._job is not None:
            self._job.resume()
            self.run.phase = Phase.RUNNING

    def _stop(self) -> None:
        if self._job is not None:
            self._job.stop()
            self.run.phase = Phase.STOPPING

    def _follow(self, fields: Fields | None) -> None:
        """Preview what is in view of the first image, at the time point in view."""
        middle = None if fields is None else fields.middle()
        if self._job is not None and fields is not None and middle is not None:
            self._job.look_at(middle, fields.time())

    # --- what the engine reports

    def _on_events(self, events: list[Event]) -> None:
        for event in events:
            self._latest[type(event)] = event
            if isinstance(event, Stepped):
                self.plot.add(event.step, event.losses)
            elif isinstance(event, Preparing):
                self._say_stage(event)
            elif isinstance(event, Warned):
                self.messages.add(event.message, remedy(event, self._optics_given()))
            elif isinstance(event, Finished):
                (self._on_finished if event.step > 0 else self._on_nothing)(event)
            else:
                self._heard(event)

    def _optics_given(self) -> bool:
        """Return whether the optics or a PSF are known in this training."""
        return False

    def _heard(self, event: Event) -> None:
        """Handle reports of some trainings only."""

    def _say_stage(self, event: Preparing) -> None:
        """Show the stage before the first step, and its progress."""
        words = f"Preparing: {event.stage}"
        if event.share > 0:
            self.run.show_progress(event.share, words)
        else:
            self.run.say(words)

    def _on_finished(self, event: Finished) -> None:
        """Show how it ended, and keep the model."""
        self._draw()
        self.run.say(f"{ENDS[event.reason]} at step {event.step}.")

    def _on_nothing(self, event: Finished) -> None:
        """Leave no model that has not learned anything."""
        if event.model.path is not None and not self._goes_on:
            shutil.rmtree(event.model.path, ignore_errors=True)
        self._draw()
        self._say_nothing()

    def _say_nothing(self) -> None:
        self.run.say(UNCHANGED if self._goes_on else NOTHING)

    def _draw(self) -> None:
        """Show the latest of each kind; called by a timer, not by the training."""
        self.plot.draw()

    def _say_progress(self, where: str = "") -> None:
        """Show the progress, if there is any since the last time."""
        stepped = self._latest.pop(Stepped, None)
        if isinstance(stepped, Stepped):
            left = duration(stepped.remaining_seconds)
            self.run.show_progress(
                stepped.step / max(stepped.total_steps, 1),
                f"Step {stepped.step} of {stepped.total_steps} · {left} left{where}",
            )

    def _on_failure(self, failure: Failure) -> None:
        self.run.say("")
        self.messages.add_failure(failure)
        show_error(failure.sentence)

    def _on_end(self) -> None:
        self._timer.stop()
        if self.run.phase is Phase.STOPPING and Finished not in self._latest:
            self._say_nothing()
        self._draw()
        self.plot.setVisible(not self.plot.is_empty)
        self._job = None
        self.run.phase = Phase.IDLE
