"""The grain of the estimate, by predicting photons."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.heldout.iterations import MOST, errors_of
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.width import fwhm
from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.preparation.photons import split_photons

__all__ = ["best_grain"]

FINEST, COARSER, COARSEST = 0.17, 1.5, 0.9
"""Standard deviations that are tried, relative to the lateral FWHM of the blur: the
finest, by how much each is coarser than the one before, and the limit. A coarser grain
would be wider than the blur itself."""

BETWEEN = COARSER**0.5
"""Factor by which the best is made coarser and finer at the end."""


def best_grain(
    region: NDArray[np.float32], blur: BlurKernel, noise: NoiseModel
) -> float:
    """Return the grain with which half of the photons best predicts the other half.

    Grains are tried from fine to coarse, until one predicts worse than the one before.

    Parameters
    ----------
    region : ndarray
        ([z,] y, x), in normalised intensities, in which zero is the background.
    blur : BlurKernel
        H.
    noise : NoiseModel
        Of the image.

    Returns
    -------
    float
        Standard deviation in voxels of a plane; 0: single voxels predict best.
    """
    image = torch.from_numpy(region)[None, None]
    halves = split_photons(image, noise, 0.5, np.random.default_rng(0))

    def error(grain: float) -> float:
        estimator = Estimator(MOST, noise.pedestal, grain=grain)
        return float(errors_of(estimator, halves, blur).min())

    best, least = 0.0, error(0.0)
    *ladder, limit = _ladder(blur)
    for grain in ladder:
        found = error(grain)
        if not found < least:
            break
        best, least = grain, found
    between = (best / BETWEEN, min(best * BETWEEN, limit)) if best else ()
    near = {best: least} | {grain: error(grain) for grain in between}
    return round(min(near, key=lambda grain: near[grain]), 2)


def _ladder(blur: BlurKernel) -> Iterator[float]:
    """Yield grains from fine to coarse, in voxels of a plane, and the limit."""
    kernel = blur.kernel().detach().cpu().numpy()
    widths = fwhm(kernel.reshape(kernel.shape[-blur.dims :]))
    width = float(np.mean(widths[-2:]))
    share = FINEST
    while share < COARSEST:
        yield share * width
        share *= COARSER
    yield COARSEST * width
