"""The background of a crowded field, found by predicting photons."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.heldout.iterations import errors_of
from napari_blurgan.heldout.regions import middle_of
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.preparation.photons import split_photons

__all__ = ["best_background"]

REGION = (32, 64, 64)
"""Largest part of the image that is used."""

UPWARDS = 0.25
"""Range searched above the first estimate, relative to that below it."""

TRIES = 5
"""Maximum number of backgrounds that are tried."""

ITERATIONS = 60
"""Largest number of iterations. In bright images the best number is up to twice as
large, which moves the background of simulated ones by a thousandth of the peak."""


WORTH = 0.003
"""Share by which the error must fall for another background. Haze that a background too
low leaves predicts a little better, like smoothing: diffuse nuclei at 120 photons by
0.002, and cost 1.8 dB with sharp images, whose levels no longer fit. Crowded shells
whose background is in doubt gain 0.005 there, and 0.1 in bright light."""


def best_background(
    region: NDArray[np.float32], blur: BlurKernel, noise: NoiseModel
) -> float:
    """Return how far the background lies below zero.

    In dense structure, the darkest places of an image contain out-of-focus light, and
    the background is overestimated. If such an image is restored from half of the
    photons, it predicts the other half worse, because dark places would have to be
    darker than is possible. The lowest background tried is the one at which the read
    noise would be zero.

    Parameters
    ----------
    region : ndarray
        ([z,] y, x), in normalised intensities, in which zero is the background as far
        as it is known.
    blur : BlurKernel
        H.
    noise : NoiseModel
        Of the image.

    Returns
    -------
    float
        In normalised intensities; positive where the background is lower than zero.
    """
    lowest = noise.pedestal
    if lowest <= 0:
        return 0.0
    middle = np.ascontiguousarray(region[middle_of(region.shape, REGION)])
    image = torch.from_numpy(middle)[None, None]
    seen, unseen = split_photons(image, noise, 0.5, np.random.default_rng(0))

    def error(shift: float) -> float:
        """Return the error at the best number of iterations; too few leave haze."""
        pedestal = max(noise.pedestal - shift, 0.0)
        halves = (seen + shift, unseen + shift)
        return float(errors_of(Estimator(ITERATIONS, pedestal), halves, blur).min())

    found = minimize_scalar(
        error,
        bounds=(-UPWARDS * lowest, lowest),
        method="bounded",
        options={"maxiter": TRIES, "xatol": lowest / 30},
    )
    return float(found.x) if found.fun < (1 - WORTH) * error(0.0) else 0.0
