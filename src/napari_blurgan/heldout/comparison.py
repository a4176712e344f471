"""Comparison of blurs: how well half of the photons, restored, predict the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import wilcoxon
from torch import Tensor
from torch.nn import functional

from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.estimates.judge import FLOOR
from napari_blurgan.estimates.projected import ProjectedError, window
from napari_blurgan.heldout.iterations import MOST, PATIENCE
from napari_blurgan.heldout.regions import middle_of
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.preparation.photons import split_photons

__all__ = ["Comparison", "beyond_chance", "blocks_of", "worse"]

REGION = (32, 64, 64)
"""Largest part of the image that is examined, unless told otherwise."""

CHANCE = 1e-3
"""Probability below which a blur is no longer taken to be as good as the best: of the
signs and ranks of the differences from block to block, for a few bright objects make
most of their mean."""

BLOCK = 8
"""Side of such blocks, in voxels."""

TAPER = 8
"""Voxels over which the error falls to zero at the border."""


class Comparison:
    """Errors of blurs on the same halves of the photons, each at its best iteration.

    Parameters
    ----------
    region : ndarray
        ([z,] y, x), in normalised intensities, in which zero is the background.
    weights : BlurKernel
        By which the errors of all blurs are weighed.
    noise : NoiseModel
        Of the image.
    largest : tuple of int
        Largest part of the image that is examined, (z, y, x).
    """

    def __init__(
        self,
        region: NDArray[np.float32],
        weights: BlurKernel,
        noise: NoiseModel,
        largest: tuple[int, int, int] = REGION,
    ) -> None:
        middle = np.ascontiguousarray(region[middle_of(region.shape, largest)])
        image = torch.from_numpy(middle)[None, None]
        self.seen, self.unseen = split_photons(
            image, noise, 0.5, np.random.default_rng(0)
        )
        shape = tuple(middle.shape)
        self.measure = ProjectedError(weights, shape, FLOOR)
        self.taper = window(shape, TAPER)
        self.estimator = Estimator(MOST, noise.pedestal)

    def squares(self, blur: BlurKernel, grain: float = 0.0) -> Tensor:
        """Return the weighted squared residuals of the best iteration.

        `grain` is that of the estimate, see `Estimator`.
        """
        least, best, after = float("inf"), torch.empty(0), 1
        estimator = replace(self.estimator, grain=grain)
        for done, expected in estimator.expectations(self.seen, blur):
            left = self.taper * (self.unseen - expected)
            squares = self.measure.filtered(left).square()
            if (error := float(squares.mean())) < least:
                least, best, after = error, squares, done
            if done > PATIENCE * after + 5:
                break
        return best


def worse(squares: Tensor, best: Tensor) -> bool:
    """Whether the prediction is worse than that of the best, beyond chance."""
    return beyond_chance(blocks_of(squares - best))


def blocks_of(loss: Tensor) -> NDArray[np.float32]:
    """Return the means of blocks of an image, (1, 1, [z,] y, x), in one row."""
    pool = functional.avg_pool3d if loss.ndim == 5 else functional.avg_pool2d
    means = pool(loss, [min(BLOCK, n) for n in loss.shape[2:]])
    return means.flatten().numpy()


def beyond_chance(losses: NDArray[np.float32]) -> bool:
    """Whether most losses of the blocks lie above zero, beyond chance."""
    if not losses.any():  # a dark image, which any blur predicts
        return False
    return float(wilcoxon(losses, alternative="greater").pvalue) < CHANCE
