"""How long a training lasts: a number of steps, or minutes on the clock."""

from __future__ import annotations

import time

__all__ = ["Budget"]

MOST_PREPARED = 0.8
"""Share of the minutes that a preparation may take: the rest is for steps."""


class Budget:
    """Steps or minutes, whichever is given; pauses do not count.

    Parameters
    ----------
    steps : int
        Length of the training where `minutes` is None.
    minutes : float, optional
        Time that all steps together may take; the number of steps is then estimated
        from the pace so far.

    Attributes
    ----------
    begun : float or None
        Moment from which the minutes count, as of `time.perf_counter`; by default the
        preparation before the first step does not count.
    """

    def __init__(self, steps: int, minutes: float | None = None) -> None:
        self.steps = steps
        self.minutes = minutes
        self.step = 0
        self.seconds = 0.0
        self.begun: float | None = None
        self._prepared = 0.0
        self._since = time.perf_counter()

    def begin(self) -> None:
        """Start the clock for the first step, and count the time before if asked."""
        self.start_clock()
        if self.minutes is not None and self.begun is not None:
            most = MOST_PREPARED * (60 * self.minutes - self.seconds)
            self._prepared = min(self._since - self.begun, most)
            self.seconds += self._prepared

    def start_clock(self) -> None:
        """Start the clock: at the beginning and after each pause."""
        self._since = time.perf_counter()

    def count_step(self) -> None:
        """Count one more step."""
        now = time.perf_counter()
        self.seconds += now - self._since
        self._since = now
        self.step += 1

    @property
    def progress(self) -> float:
        """Fraction of the training that is done, 0 to 1."""
        if self.minutes is None:
            return min(1.0, self.step / self.steps)
        return min(1.0, self.seconds / (60 * self.minutes))

    @property
    def total_steps(self) -> int:
        """Total number of steps, estimated if the length is given in minutes."""
        if self.minutes is None or self.step == 0:
            return self.steps
        share = self.seconds - self._prepared, 60 * self.minutes - self._prepared
        return max(self.step, round(self.step * share[1] / max(share[0], 1e-9)))

    @property
    def remaining_seconds(self) -> float:
        """Remaining time at the current pace."""
        if self.minutes is not None:
            return max(0.0, 60 * self.minutes - self.seconds)
        return (self.steps - self.step) * self.seconds / max(self.step, 1)

    def rate(self, constant: float, final: float, warm_up: int) -> float:
        """Return the factor on the learning rate: constant, then linear to `final`.

        Parameters
        ----------
        constant : float
            Fraction of the training at the full rate.
        final : float
            Factor at the very end.
        warm_up : int
            Steps in which the rate rises linearly from zero.
        """
        fall = max(0.0, self.progress - constant) / max(1e-9, 1 - constant)
        rise = min(1.0, (self.step + 1) / warm_up) if warm_up else 1.0
        return rise * (1 - (1 - final) * min(1.0, fall))

    def state_dict(self) -> dict[str, float]:
        """Return the state needed to resume."""
        return {"step": self.step, "seconds": self.seconds}

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Restore a state from `state_dict`."""
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
