"""The optics with which half of the photons of some images best predict the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from torch import Tensor

from napari_blurgan.heldout.comparison import Comparison, beyond_chance, blocks_of
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.models import Optics
from napari_blurgan.preparation.calibration import NoiseModel

__all__ = ["Interval", "Likely", "MostLikely", "with_value"]

Interval = tuple[float, float]

TRIES = 8
"""Values that are tried for one parameter in each round."""

ROUNDS = 2
"""Of several parameters, which depend on each other: each is varied so many times."""

BIAS = 0.0025
"""Share of the error by which wrong optics may predict better than the right ones: a
PSF that is too narrow leaves blur in the restoration, which acts like smoothing. On
simulated sheets at 120 photons it is up to 0.002; an aperture that is a tenth too
small predicts worse by 0.003 (nuclei) to 0.03 (filaments)."""

HALVINGS = 4
"""Bisections of an interval that is as likely as the best value."""


@dataclass(frozen=True)
class Likely:
    """What images say of one parameter of the optics.

    Parameters
    ----------
    given : float
        As it was specified.
    best : float
        The value that predicts held-out photons best.
    least, most : float
        All values between them predict as well, within chance. They are the limits of
        the search where it ended.
    told : bool
        Whether the given value predicts worse, beyond chance. Otherwise the images do
        not contradict it.
    """

    given: float
    best: float
    least: float
    most: float
    told: bool

    @property
    def value(self) -> float:
        """The value closest to the given one that the images do not contradict."""
        return min(max(self.given, self.least), self.most)


class MostLikely:
    """Looks for the optics that predict held-out photons best.

    A PSF that is too wide makes the restoration of one half of the photons too fine,
    one that is too narrow leaves blur in it, and an aberrated one puts light into wrong
    planes: in each case the other half is predicted worse. All optics are compared on
    the same halves, with errors weighted by the transfer function of the given ones.

    Parameters
    ----------
    regions : sequence of ndarray
        ([z,] y, x) each, in normalised intensities in which zero is the background.
    noise : NoiseModel
        Of the images.
    given : Optics
        As they were specified.
    blur_of : callable
        Makes the blur of optics.
    """

    def __init__(
        self,
        regions: Sequence[NDArray[np.float32]],
        noise: NoiseModel,
        given: Optics,
        blur_of: Callable[[Optics], BlurKernel],
    ) -> None:
        self.given, self.blur_of = given, blur_of
        weights = blur_of(given)
        self.comparisons = [Comparison(r, weights, noise) for r in regions]
        self.found: dict[Optics, list[Tensor]] = {}

    def search(
        self, intervals: Mapping[str, Interval]
    ) -> tuple[Optics, dict[str, Likely]]:
        """Return the most likely optics, and what is known of each parameter.

        Parameters
        ----------
        intervals : mapping
            Names of fields of `Optics`, and the range in which each is looked for.
        """
        best = self.given
        for _ in range(ROUNDS if len(intervals) > 1 else 1):
            for name, interval in intervals.items():
                best = self._improved(best, name, interval)
        likely = {n: self._likely(best, n, i) for n, i in intervals.items()}
        found = self.given
        for name, one in likely.items():
            found = with_value(found, name, one.value)
        return found, likely

    def error(self, optics: Optics) -> float:
        """Return the error of the prediction, the mean over the regions."""
        return float(np.mean([float(s.mean()) for s in self._squares(optics)]))

    def worse(self, optics: Optics, best: Optics) -> bool:
        """Whether some optics predict worse than others, beyond chance and bias."""
        if self.error(optics) <= (1 + BIAS) * self.error(best):
            return False
        pairs = zip(self._squares(optics), self._squares(best), strict=True)
        return beyond_chance(np.concatenate([blocks_of(a - b) for a, b in pairs]))

    def _improved(self, best: Optics, name: str, interval: Interval) -> Optics:
        """Return optics with the best value of one parameter, if it is better."""
        found = minimize_scalar(
            lambda value: self.error(with_value(best, name, float(value))),
            bounds=interval,
            method="bounded",
            options={"maxiter": TRIES, "xatol": (interval[1] - interval[0]) / 50},
        )
        better = with_value(best, name, float(found.x))
        return better if self.error(better) < self.error(best) else best

    def _likely(self, best: Optics, name: str, interval: Interval) -> Likely:
        value, given = getattr(best, name), getattr(self.given, name)
        told = self.worse(with_value(best, name, given), best)
        known = (value,) if told else (value, given)
        least = self._end(best, name, min(known), interval[0])
        most = self._end(best, name, max(known), interval[1])
        return Likely(given, value, least, most, told)

    def _end(self, best: Optics, name: str, good: float, limit: float) -> float:
        """Return how far towards a limit optics are as likely as the best."""
        if not self.worse(with_value(best, name, limit), best):
            return limit
        bad = limit
        for _ in range(HALVINGS):
            middle = (good + bad) / 2
            if self.worse(with_value(best, name, middle), best):
                bad = middle
            else:
                good = middle
        return good

    def _squares(self, optics: Optics) -> list[Tensor]:
        if optics not in self.found:
            blur = self.blur_of(optics)
            self.found[optics] = [c.squares(blur) for c in self.comparisons]
        return self.found[optics]


def with_value(optics: Optics, name: str, value: float) -> Optics:
    """Return optics with another value of one parameter, which `Optics` checks."""
    changes: dict[str, Any] = {name: value}
    return replace(optics, **changes)
