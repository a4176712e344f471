"""Richardson–Lucy with momentum: the same goal in a fraction of the iterations."""

from __future__ import annotations

from typing import Unpack

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from napari_blurgan.classical.keywords import checked
from napari_blurgan.inverse.observation import Observation
from napari_blurgan.inverse.plan import Plan
from napari_blurgan.inverse.psf_fit import PsfLike
from napari_blurgan.inverse.result import Deconvolution
from napari_blurgan.inverse.run import Options, run

__all__ = ["AcceleratedSteps", "OverrelaxedSteps", "accelerated_richardson_lucy"]


class AcceleratedSteps:
    """Richardson–Lucy updates from a point extrapolated beyond the estimate.

    If the point z led to the estimate x, and the previous estimate was x′, the next
    point is x + (k − 1) / (k + lag) · (x − x′) + beyond · (x − z).
    """

    lag = 2
    beyond = 0.0
    kept = 0.2
    """Share of a voxel's light that a step leaves at least; from 0.2 to 0.8 the results
    hardly differ."""

    def __init__(self, observation: Observation, start: Tensor | None = None) -> None:
        self.observation = observation
        self.estimate = observation.start(start)
        self.extrapolated = self.estimate.clone()
        self._updates = 0

    def predict(self) -> Tensor:
        """Return the expected image at the extrapolated point.

        Large steps overshoot below zero where an image is much darker than its mean,
        and a voxel near zero hardly rises again.
        """
        least = self.estimate * self.kept
        torch.maximum(self.extrapolated, least, out=self.extrapolated)
        del least
        torch.maximum(self.extrapolated, self.observation.least, out=self.extrapolated)
        return self.observation.expected(self.extrapolated)

    def correct(self, expected: Tensor) -> None:
        """Update from the extrapolated point; overwrites `expected`."""
        self.step(self.observation.correction(expected))

    def step(self, factor: Tensor) -> None:
        """Multiply the extrapolated point, and go on; overwrites `factor`."""
        estimate = factor.mul_(self.extrapolated)
        self._updates += 1
        momentum = self._updates / (self._updates + 1 + self.lag)
        self.extrapolated.mul_(-self.beyond).add_(self.estimate, alpha=-momentum)
        self.extrapolated.add_(estimate, alpha=1 + momentum + self.beyond)
        self.estimate = estimate


class OverrelaxedSteps(AcceleratedSteps):
    """The same with larger steps; for a linear update it is stable below one."""

    lag = 1
    beyond = 0.5


@checked
def accelerated_richardson_lucy(
    image: ArrayLike,
    psf: PsfLike | Plan,
    iterations: int = 8,
    **options: Unpack[Options],
) -> Deconvolution:
    """Deconvolve by Richardson–Lucy with scaled heavy-ball momentum.

    If the point z led to the estimate x, and the previous estimate was x′, the next
    update starts from x + (k − 1) / (k + 1) · (x − x′) + (x − z) / 2, so that k
    iterations achieve what plain Richardson–Lucy does in almost k². The first term is
    that of Wang and Miller (IEEE Trans. Image Process. 23, 848, 2014), the second the
    over-relaxation of Kim and Fessler (Math. Program. 159, 81, 2016), reduced to be
    stable here. Noise builds up equally fast: use a stopping rule, or few iterations.
    It needs one more volume of memory and no more FFTs.

    Parameters, options and errors are those of `richardson_lucy`.
    """
    return run(OverrelaxedSteps, image, psf, iterations, options)
