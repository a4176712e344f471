"""Things that are to happen every so many seconds."""

from __future__ import annotations

import time

__all__ = ["Interval"]


class Interval:
    """Says when `seconds` have passed since it last said so.

    Parameters
    ----------
    seconds : float
        The shortest interval.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._last = -float("inf")

    def due(self) -> bool:
        """Whether it is time again; the first time it always is."""
        now = time.monotonic()
        if now - self._last < self.seconds:
            return False
        self._last = now
        return True
