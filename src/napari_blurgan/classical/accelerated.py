"""Richardson–Lucy with momentum: the same goal in a fraction of the iterations."""

from __future__ import annotations

from typing import Unpack

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from napari_blurgan.classical.observation import Observation
from napari_blurgan.classical.plan import Plan
from napari_blurgan.classical.psf_fit import PsfLike
from napari_blurgan.classical.result import Deconvolution
from napari_blurgan.classical.run import Options, run

__all__ = ["accelerated_richardson_lucy"]


class AcceleratedSteps:
    """Richardson–Lucy updates from a point ahead of the estimate.

    The point is x + (k − 1) / (k + 2) · (x − x′) with x′ the estimate before. One
    tensor serves for x′ and, between `predict` and `correct`, for the point ahead.
    """

    def __init__(self, observation: Observation, start: Tensor | None = None) -> None:
        self.observation = observation
        self.estimate = observation.start(start)
        self.ahead = self.estimate.clone()
        self._updates = 0

    def predict(self) -> Tensor:
        """Move ahead and return what is expected there."""
        self._updates += 1
        momentum = (self._updates - 1) / (self._updates + 2)
        ahead = self.ahead.mul_(-momentum).add_(self.estimate, alpha=1 + momentum)
        # A voxel at zero could never rise again.
        torch.maximum(ahead, self.observation.least, out=ahead)
        return self.observation.expected(ahead)

    def correct(self, expected: Tensor) -> None:
        """Update from the point ahead; overwrites `expected`."""
        self.step(self.observation.correction(expected))

    def step(self, factor: Tensor) -> None:
        """Multiply the point ahead: it becomes the estimate, and the estimate x′."""
        self.ahead *= factor
        self.estimate, self.ahead = self.ahead, self.estimate


def accelerated_richardson_lucy(
    image: ArrayLike,
    psf: PsfLike | Plan,
    iterations: int = 15,
    **options: Unpack[Options],
) -> Deconvolution:
    """Deconvolve by Richardson–Lucy with scaled heavy-ball momentum.

    Each update starts from x + (k − 1) / (k + 2) · (x − x′), so that k iterations do
    what plain Richardson–Lucy does in about k² / 4 (Wang and Miller, IEEE Trans. Image
    Process. 23, 848, 2014). Noise is built up as much faster: use a stopping rule, or
    few iterations. Costs one more volume of memory and no more FFTs.

    Parameters, options and errors are those of `richardson_lucy`.
    """
    return run(AcceleratedSteps, image, psf, iterations, options)
