"""Pause, resume, stop and look elsewhere, from any thread."""

from __future__ import annotations

import threading
from collections.abc import Sequence

__all__ = ["Controls"]


class Controls:
    """Controls for work that runs in a thread of its own."""

    def __init__(self) -> None:
        self._running = threading.Event()
        self._running.set()
        self._stopped = threading.Event()
        self._middle: tuple[float, ...] | None = None
        self._time = 0

    def pause(self) -> None:
        """Pause after the current step; from any thread."""
        self._running.clear()

    def resume(self) -> None:
        """Continue after a pause; from any thread."""
        self._running.set()

    def stop(self) -> None:
        """Stop after the current step and keep the model; from any thread."""
        self._stopped.set()
        self._running.set()

    def look_at(self, middle: Sequence[float], time: int = 0) -> None:
        """Preview another field from now on.

        Parameters
        ----------
        middle : sequence of float
            Its middle in voxels of the first measured image, (z, y, x) or (y, x); the
            field lies as near as the images and their blocks allow.
        time : int
            Its time point; the nearest of those that are trained on is taken.
        """
        self._middle, self._time = tuple(middle), time

    @property
    def paused(self) -> bool:
        """Whether it is paused, or about to pause."""
        return not self._running.is_set()
