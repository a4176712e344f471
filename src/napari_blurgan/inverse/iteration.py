"""The loop shared by all iterative methods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_blurgan.interruption import heed_stop
from napari_blurgan.inverse.steps import Steps
from napari_blurgan.inverse.stopping import StoppingRule

__all__ = ["Callback", "Outcome", "Progress", "iterate"]


@dataclass(frozen=True)
class Progress:
    """The state of a run, as passed to its callback.

    Attributes
    ----------
    iteration, iterations : int
        Updates made, and the most that will be made.
    trace : sequence of float
        What the stopping rule follows: of the start, and of each estimate but the
        current one. Empty without a rule.
    """

    iteration: int
    iterations: int
    trace: Sequence[float]
    steps: Steps

    def image(self) -> NDArray[np.float32]:
        """Return a copy of the current estimate, in grey levels."""
        return self.steps.observation.result(self.steps.estimate)


Callback = Callable[[Progress], bool | None]


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the estimate to keep, and its number of updates."""

    estimate: Tensor
    iterations: int
    reason: str
    trace: tuple[float, ...]


class _Watch:
    """Follow a rule's criterion; keep the best estimate if there is one to look for."""

    def __init__(self, rule: StoppingRule) -> None:
        self.rule = rule
        self.trace: list[float] = []
        self.best: tuple[int, Tensor] | None = None

    def reason_to_stop(self, steps: Steps, expected: Tensor) -> str | None:
        """Trace the criterion, keep the best estimate; return why to stop, if so."""
        value = self.rule.measure(steps, expected)
        self.trace.append(value)
        done = len(self.trace) - 1
        if self.rule.met(value):
            return f"the {self.rule.criterion} reached {value:.4g}"
        if self.rule.patience is None:
            return None
        if self.best is None or value < self.trace[self.best[0]]:
            self.best = done, steps.estimate.clone()
        elif done - self.best[0] >= self.rule.patience:
            return f"the {self.rule.criterion} is rising again"
        return None


def iterate(
    steps: Steps,
    iterations: int,
    rule: StoppingRule | None = None,
    callback: Callback | None = None,
) -> Outcome:
    """Update until the rule is met, the callback returns True, or `iterations`.

    With a rule that looks for a minimum, the best estimate is kept and returned, unless
    the caller stopped the run: then the last estimate is.
    """
    watch = _Watch(rule) if rule is not None else None
    trace = watch.trace if watch else []
    reason, done = "all iterations are done", 0
    while watch or done < iterations:
        heed_stop()
        expected = steps.predict()
        stop = watch.reason_to_stop(steps, expected) if watch else None
        if stop:
            reason = stop
            break
        if done == iterations:  # the last estimate is judged, too
            break
        steps.correct(expected)
        done += 1
        if callback and callback(Progress(done, iterations, trace, steps)):
            return Outcome(steps.estimate, done, "stopped by the caller", tuple(trace))
    if watch and watch.best:
        at, best = watch.best
        kept = f"; the best of {done} was kept" if at < done else ""
        return Outcome(best, at, reason + kept, tuple(trace))
    return Outcome(steps.estimate, done, reason, tuple(trace))
