"""Long work that ends when it is asked to, in the middle of a loop.

Who starts the work says how to find out whether it should end; the loops within ask
once in a while, however deep they are called. Nothing is handed from one to the next,
as little as an exception is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from napari_blurgan.errors import CancelledError

__all__ = ["heed_stop", "interruptible"]

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
