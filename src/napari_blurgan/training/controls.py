"""Pause, resume and stop, from any thread."""

from __future__ import annotations

import threading

__all__ = ["Controls"]


class Controls:
    """What others may ask of work that goes on in a thread of its own."""

    def __init__(self) -> None:
        self._running = threading.Event()
        self._running.set()
        self._stopped = threading.Event()

    def pause(self) -> None:
        """Halt after the present step; from any thread."""
        self._running.clear()

    def resume(self) -> None:
        """Go on after a pause; from any thread."""
        self._running.set()

    def stop(self) -> None:
        """End after the present step, keeping the model; from any thread."""
        self._stopped.set()
        self._running.set()

    @property
    def paused(self) -> bool:
        """Whether it halts, or is about to."""
        return not self._running.is_set()
