"""Stopping long work in the middle of a loop.

The caller of the work provides a function that says whether to stop; the loops inside
check it now and then, however deep they are called. Nothing is passed from one to the
next, like exceptions; helper threads are started with `inherited`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from napari_blurgan.errors import CancelledError

__all__ = ["heed_stop", "inherited", "interruptible"]

_stopped: ContextVar[Callable[[], bool] | None] = ContextVar("stopped", default=None)


@contextmanager
def interruptible(stopped: Callable[[], bool]) -> Iterator[None]:
    """Let the loops inside end as soon as `stopped` returns True.

    Parameters
    ----------
    stopped : callable
        Asked often, by the thread that works: it must be quick.
    """
    token = _stopped.set(stopped)
    try:
        yield
    finally:
        _stopped.reset(token)


def inherited(stopped: Callable[[], bool]) -> Callable[[], None]:
    """Return a function that makes a new thread stop with its work, or by itself.

    Parameters
    ----------
    stopped : callable
        Whether the thread's own work is to end, though the other's may go on.

    Returns
    -------
    callable
        To be called in the thread before anything else, as its initializer.
    """
    outer = _stopped.get()

    def begin() -> None:
        _stopped.set(lambda: stopped() or (outer is not None and outer()))

    return begin


def heed_stop() -> None:
    """Stop here if the work is to stop; for loops with slow rounds.

    Raises
    ------
    CancelledError
        If `interruptible` work has been stopped.
    """
    stopped = _stopped.get()
    if stopped is not None and stopped():
        raise CancelledError("stopped before there was a result to keep")
