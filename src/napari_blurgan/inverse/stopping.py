"""Stopping rules that follow one criterion through the iterations.

Deconvolution with too many iterations turns noise into structure, and nothing in the
fit shows it: the likelihood only rises. These criteria do. Without a rule the number of
iterations decides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_blurgan.inverse.observation import Observation
from napari_blurgan.inverse.steps import Steps

__all__ = ["RULES", "Discrepancy", "HeldOut", "RelativeChange", "StoppingRule"]


class StoppingRule:
    """A criterion that is evaluated in each iteration.

    Attributes
    ----------
    criterion : str
        Its name, for plots and messages.
    counts : bool
        Whether it needs the image in photo-electrons.
    patience : int or None
        For how many iterations the criterion may fail to improve on its minimum, whose
        estimate is kept; None if there is no minimum to look for.
    """

    criterion: str
    counts = False
    patience: int | None = None

    def begin(self, observation: Observation) -> Observation:
        """Return the data for the method to work on; forget earlier runs."""
        return observation

    def measure(self, steps: Steps, expected: Tensor) -> float:
        """Return the criterion of the current estimate."""
        raise NotImplementedError

    def met(self, value: float) -> bool:
        """Return whether this value is a reason to stop."""
        return False


@dataclass
class RelativeChange(StoppingRule):
    """Stop when an update changes little: ‖x − x′‖ / ‖x‖ ≤ `tolerance`.

    Takes no account of noise; it only shows that more iterations hardly matter.
    """

    criterion = "relative change"
    tolerance: float = 2e-3

    def begin(self, observation: Observation) -> Observation:
        """Forget the estimate of an earlier run."""
        self._previous: Tensor | None = None
        return observation

    def measure(self, steps: Steps, expected: Tensor) -> float:
        """Return the change by the last update; infinite before the first."""
        previous, self._previous = self._previous, steps.estimate.clone()
        if previous is None:
            return math.inf
        change = previous.sub_(steps.estimate).norm()
        return float(change / steps.estimate.norm().clamp(min=1e-30))

    def met(self, value: float) -> bool:
        """Return whether the change is within the tolerance."""
        return value <= self.tolerance


@dataclass
class Discrepancy(StoppingRule):
    """Stop when the residual is what noise alone would leave.

    Morozov's principle for counts: the variance of a count is its mean, so
    ‖y − m‖² / Σ m, m = Hx + b, is one for the true object. Cautious: it stops early.
    """

    criterion = "discrepancy"
    counts = True
    level: float = 1.0

    def measure(self, steps: Steps, expected: Tensor) -> float:
        """Return ‖y − m‖² / Σ m."""
        residual = (steps.observation.image - expected).square_()
        return precise_sum(residual) / precise_sum(expected)

    def met(self, value: float) -> bool:
        """Return whether the residual has reached the level of the noise."""
        return value <= self.level


@dataclass
class HeldOut(StoppingRule):
    """Stop when either half of the photons is no longer better explained by the other.

    The counts are split at random into two halves with independent noise. Each half is
    deconvolved separately, and its prediction is compared with the other half, which it
    has never seen: Σ m − y log m, the Poisson deviance up to a constant, falls while
    structure is found and rises when noise is. The result is the sum of both at the
    minimum. This doubles the work, but nothing has to be tuned.

    Parameters
    ----------
    patience : int
        For how many iterations it may fail to improve.
    seed : int
        Of the split.
    """

    criterion = "held-out deviance"
    counts = True
    patience: int | None = 3
    seed: int = 0

    def begin(self, observation: Observation) -> Observation:
        """Return the two halves of the counts."""
        return observation.halved(self.seed)

    def measure(self, steps: Steps, expected: Tensor) -> float:
        """Return the mean deviance of each half from what the other predicts."""
        return poisson_deviance(steps.observation.image.flip(0), expected)


def poisson_deviance(counts: Tensor, expected: Tensor) -> float:
    """Return the mean of 2 (m − y + y log(y / m)); zero is a perfect fit."""
    logs = torch.special.xlogy(counts, counts / expected)
    return 2 * precise_sum(logs.add_(expected).sub_(counts)) / logs.numel()


def precise_sum(values: Tensor) -> float:
    """Return the sum in float64, line by line where the device has no such numbers."""
    if values.device.type == "mps":
        return float(values.sum(-1).cpu().sum(dtype=torch.float64))
    return float(values.sum(dtype=torch.float64))


RULES: dict[str, type[StoppingRule]] = {
    "change": RelativeChange,
    "discrepancy": Discrepancy,
    "held-out": HeldOut,
}
