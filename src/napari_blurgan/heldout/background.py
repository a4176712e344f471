"""The background of a crowded field, found by predicting photons."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.heldout.iterations import errors_of
from napari_blurgan.heldout.misfit import misfit
from napari_blurgan.heldout.regions import middle_of
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.preparation.photons import split_photons

__all__ = ["best_background"]

REGION = (32, 64, 64)
"""Largest part of the image that is used."""

TRIES = 5
"""Maximum number of backgrounds that are tried."""

ITERATIONS = 60
"""Largest number of iterations. In bright images the best number is up to twice as
large, which moves the background of simulated ones by a thousandth of the peak."""

EXPLAINED = 0.0
"""Misfit up to which a background explains an image. Of those that do, the highest is
closest to the truth: haze below a lower one is explained, too, and predicts a little
better, like smoothing. So found, simulated offsets at 30 to 500 photons are right to
2.4 counts; with the best prediction, those of diffuse nuclei were 8 too low."""

HALVINGS = 3
"""Bisections of the interval between two backgrounds."""


def best_background(
    region: NDArray[np.float32], blur: BlurKernel, noise: NoiseModel
) -> float:
    """Return how far the background lies below zero.

    In dense structure, the darkest places of an image contain out-of-focus light, and
    the background is overestimated. If such an image is restored from half of the
    photons, it predicts the other half worse, because dark places would have to be
    darker than is possible. The lowest background tried is the one at which the read
    noise would be zero. If the first estimate explains the image, it is kept; otherwise
    the highest that does is taken, and if none does, the one that predicts best.

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
        In normalised intensities, not negative: how much lower the background is.
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

    def explains(shift: float) -> bool:
        left = NoiseModel(noise.slope, max(noise.intercept - noise.slope * shift, 0.0))
        raised = middle + np.float32(shift)
        return misfit(raised, blur, left, ITERATIONS) <= EXPLAINED

    if explains(0.0):
        return 0.0
    found = minimize_scalar(
        error,
        bounds=(0.0, lowest),
        method="bounded",
        options={"maxiter": TRIES, "xatol": lowest / 30},
    )
    if found.fun >= error(0.0):
        return 0.0
    if not explains(found.x):
        return float(found.x)
    return _least(explains, float(found.x))


def _least(sufficient: Callable[[float], bool], enough: float) -> float:
    """Return about the least number that is sufficient; zero is not."""
    little = 0.0
    for _ in range(HALVINGS):
        middle = (little + enough) / 2
        if sufficient(middle):
            enough = middle
        else:
            little = middle
    return enough
