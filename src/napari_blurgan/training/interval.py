"""Actions that happen at intervals of some seconds."""

from __future__ import annotations

import time

__all__ = ["Interval"]


class Interval:
    """Reports when `seconds` have passed since its last report.

    Parameters
    ----------
    seconds : float
        The shortest interval.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._last = -float("inf")

    def due(self) -> bool:
        """Whether the interval has passed; true the first time."""
        now = time.monotonic()
        if now - self._last < self.seconds:
            return False
        self._last = now
        return True
