"""Long work that ends when it is asked to, in the middle of a loop.

Who starts the work says how to find out whether it should end; the loops within ask
once in a while, however deep they are called. Nothing is handed from one to the next,
as little as an exception is; threads that help are begun with `inherited`.
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
    """Let the loops within end as soon as `stopped` returns True.

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
    """Return what makes a new thread end with the work that it helps, or by itself.

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
    """End here if the work is to end; for loops whose rounds take a while.

    Raises
    ------
    CancelledError
        If `interruptible` work has been stopped.
    """
    stopped = _stopped.get()
    if stopped is not None and stopped():
        raise CancelledError("stopped before there was anything to keep")
