"""`Job`: long work in a thread, as seen from Qt.

The thread never touches Qt: it appends its reports to a deque, and a timer in the
thread of the widgets empties it. A training that reports a thousand steps a second
therefore costs the event loop ten slots a second, and no exception is lost, of whatever
kind (napari's generator workers swallow a RuntimeError, which is what running out of
GPU memory raises).
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from qtpy.QtCore import QCoreApplication, QObject, QTimer, Signal

from napari_blurgan.errors import BlurGANError, CancelledError
from napari_blurgan.interruption import heed_stop, interruptible

__all__ = ["Cancelled", "Failure", "Job", "Report", "TrainingJob", "explain"]

Report = Callable[[Any], None]
SWITCH = 0.001
"""Interval in seconds."""


class Cancelled(BaseException):
    """Raised inside the work by `Report` after `Job.cancel`; not an error.

    Like KeyboardInterrupt it is not an `Exception`, so that handlers in the work do not
    catch it.
    """


class Failure:
    """An error: a sentence for the user, and the traceback for a bug report.

    The exception itself is not kept: its frames would keep the memory of the device.
    """

    def __init__(self, error: BaseException) -> None:
        self.sentence = explain(error)
        self.kind = type(error)
        self.details = "".join(traceback.format_exception(error))


class Job(QObject):
    """Work in a thread that reports as it goes.

    Parameters
    ----------
    work : callable
        Called in the thread with a function to report with; what it returns is the
        result. After `cancel`, the next report raises `Cancelled` inside the work.
    parent : QObject, optional
        Owner.
    interval : int
        Milliseconds between two looks at what was reported.
    """

    reported = Signal(list)
    """Everything reported since the last time, oldest first."""
    returned = Signal(object)
    failed = Signal(object)
    """A `Failure`."""
    ended = Signal()
    """The very last signal, however the work ended."""

    def __init__(
        self,
        work: Callable[[Report], Any],
        parent: QObject | None = None,
        interval: int = 100,
    ) -> None:
        super().__init__(parent)
        self._work: Callable[[Report], Any] | None = work
        self._reports: deque[Any] = deque()
        self._outcome: Callable[[], None] | None = None
        self._cancelled = threading.Event()
        self._begun = False
        self._thread = threading.Thread(target=self._run, name="blurgan", daemon=True)
        self._timer = QTimer(self)
        self._timer.setInterval(interval)
        self._timer.timeout.connect(self._look)

    @property
    def running(self) -> bool:
        """Whether the end has not been reported yet."""
        return self._timer.isActive()

    def start(self) -> None:
        """Start the thread."""
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.cancel)
        self._timer.start()
        self._thread.start()

    def cancel(self) -> None:
        """Request the work to stop at its next report."""
        self._cancelled.set()

    def wait(self, seconds: float) -> bool:
        """Block until the thread has ended, and return whether it has."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def finish(self, seconds: float) -> bool:
        """Cancel, wait, and report the end at once; return whether it has ended."""
        self.cancel()
        ended = self.wait(seconds)
        if self.running:
            self._look()
        return ended

    def _run(self) -> None:
        work, self._work = self._work, None
        assert work is not None
        try:
            with brisk_switching(), interruptible(self._is_to_end):
                warm_up()
                heed_stop()
                self._begun = True
                result = work(self._report)
        except (Cancelled, CancelledError):
            self._outcome = _nothing
        except BaseException as error:
            failure = Failure(error)
            self._outcome = lambda: self.failed.emit(failure)
        else:
            self._outcome = lambda: self.returned.emit(result)

    def _is_to_end(self) -> bool:
        """Whether the work is to stop in the middle of what it is doing."""
        return self._cancelled.is_set()

    def _report(self, event: Any) -> None:
        if self._cancelled.is_set():
            raise Cancelled
        self._reports.append(event)

    def _look(self) -> None:
        over = not self._thread.is_alive()  # before emptying: nothing comes afterwards
        # The import of torch cannot be stopped; its result is ignored.
        over = over or (self._is_to_end() and not self._begun)
        events = [self._reports.popleft() for _ in range(len(self._reports))]
        if events:
            self.reported.emit(events)
        if over:
            self._tell_the_end()

    def _tell_the_end(self) -> None:
        self._timer.stop()
        outcome, self._outcome = self._outcome or _nothing, None
        if self._begun:  # before, torch may be half imported
            release_memory()
        try:
            outcome()
        finally:
            self.ended.emit()


class Trains(Protocol):
    """What a `TrainingJob` needs of a trainer: events, and controls for any thread."""

    def __iter__(self) -> Iterator[Any]: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def stop(self) -> None: ...
    def look_at(self, middle: Sequence[float], time: int = 0) -> None: ...


class TrainingJob(Job):
    """A training in a thread: its events are the reports, its model the result.

    Parameters
    ----------
    make : callable
        Makes the trainer, in the thread, for that takes time; may report too.
    parent : QObject, optional
        Owner.
    """

    def __init__(
        self, make: Callable[[Report], Trains], parent: QObject | None = None
    ) -> None:
        super().__init__(self._train, parent)
        self._make = make
        self._trainer: Trains | None = None
        self._stopped = False
        self._paused = False
        self._view: tuple[Sequence[float], int] | None = None

    def look_at(self, middle: Sequence[float], time: int = 0) -> None:
        """Preview another field: its middle in voxels of the first image, its time."""
        self._view = middle, time
        if self._trainer is not None:
            self._trainer.look_at(middle, time)

    def pause(self) -> None:
        """Pause the training after the current step."""
        self._paused = True
        if self._trainer is not None:
            self._trainer.pause()

    def resume(self) -> None:
        """Continue after `pause`."""
        self._paused = False
        if self._trainer is not None:
            self._trainer.resume()

    def stop(self) -> None:
        """Stop after the current step; the checkpoint and the model are kept."""
        self._stopped = True
        if self._trainer is not None:
            self._trainer.stop()

    cancel = stop

    def _is_to_end(self) -> bool:
        # The trainer itself knows how to stop.
        return self._stopped and self._trainer is None

    def _train(self, report: Report) -> Any:
        def heed(event: Any) -> None:
            if self._stopped:
                raise Cancelled
            report(event)

        trainer = self._trainer = self._make(heed)
        # The flags may have been set while the trainer was being created.
        if self._paused:
            trainer.pause()
        if self._stopped:
            trainer.stop()
        if self._view is not None:
            trainer.look_at(*self._view)
        model = None
        for event in trainer:
            report(event)
            model = getattr(event, "model", model)
        return model


def _nothing() -> None:
    """Report nothing: a cancelled job has neither result nor failure."""


def warm_up() -> None:
    """Import torch in this thread instead of the GUI thread: it takes seconds.

    One core is left to the event loop.
    """
    import torch

    spare = max(1, (os.cpu_count() or 1) - 1)
    torch.set_num_threads(min(torch.get_num_threads(), spare))


@contextlib.contextmanager
def brisk_switching() -> Iterator[None]:
    """Let other threads have the interpreter after waiting 1 ms instead of 5.

    The event loop requests it several times per round.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def release_memory() -> None:
    """Return the memory of the device to others."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def explain(error: BaseException) -> str:
    """Return a description of an error in one paragraph, with a remedy if known."""
    if isinstance(error, BlurGANError):
        return str(error)
    if _is_out_of_memory(error):
        return (
            "The device does not have enough memory. Choose smaller tiles or "
            "patches, close other programs that use it, or set the device to cpu."
        )
    return f"{type(error).__name__}: {error}"


def _is_out_of_memory(error: BaseException) -> bool:
    # By name and words: torch has a class for CUDA only, and on the CPU a sentence.
    words = str(error).lower()
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "out of memory" in words
        or "can't allocate memory" in words
    )
