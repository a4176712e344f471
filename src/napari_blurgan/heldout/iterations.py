"""The number of iterations that suits the light level, by predicting photons."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.estimates.projected import ProjectedError, window
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.preparation.photons import split_photons

__all__ = ["best_iterations", "errors_of"]

MOST = 130
"""Accelerated iterations that are tried, equivalent to 4,000 plain ones."""

PATIENCE = 1.4
"""The search ends at this multiple of the best number of iterations so far."""

FLOOR = 0.03
"""Floor of |H|^2 in the error; in simulations it hardly matters from 0.0001 to 0.1."""

WHOLE = 1.25
"""All photons are worth this many times the iterations of half of them."""


def best_iterations(
    regions: list[NDArray[np.float32]],
    blur: BlurKernel,
    noise: NoiseModel,
    grain: float = 0.0,
) -> int:
    """Return the number of accelerated iterations for restoring images.

    Parameters
    ----------
    regions : list of ndarray
        ([z,] y, x) each, in normalised intensities.
    blur : BlurKernel
        H.
    noise : NoiseModel
        Of the images.
    grain : float
        Of the estimate, see `Estimator`.
    """
    rng = np.random.default_rng(0)
    estimator = Estimator(MOST, noise.pedestal, grain=grain)
    errors = np.zeros(MOST)
    for region in regions:
        image = torch.from_numpy(region)[None, None]
        errors += errors_of(estimator, split_photons(image, noise, 0.5, rng), blur)
    best = int(np.argmin(errors)) + 1
    return min(MOST, round(WHOLE * best))


def errors_of(
    estimator: Estimator, halves: tuple[Tensor, ...], blur: BlurKernel
) -> NDArray[np.float64]:
    """Return the error of the other half after each iteration, until past the best.

    Between the numbers that are examined it is interpolated.
    """
    seen, unseen = halves
    shape = tuple(seen.shape[2:])
    error, taper = ProjectedError(blur, shape, FLOOR), window(shape, 8)
    tried: list[int] = []
    found: list[float] = []
    for done, expected in estimator.expectations(seen, blur):
        tried.append(done)
        found.append(float(error(taper * (unseen - expected))))
        if done > PATIENCE * tried[int(np.argmin(found))] + 5:
            break
    return np.interp(np.arange(1, estimator.iterations + 1), tried, found)
