"""The background of a crowded field, which the darkest places do not show."""

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
"""Largest part of the image in which photons are predicted."""

TRIES = 8
"""Maximum number of backgrounds that are tried."""

ITERATIONS = 60
"""Largest number of iterations. In bright images the best number is up to twice as
large, which moves the background of simulated ones by a thousandth of the peak."""

EXPLAINING = 120
"""Iterations after which bright images, too, are explained as far as they can be. All
of the region is, because where it is bright everywhere a misfit hardly shows."""

EXPLAINED = 0.0
"""Misfit up to which a background explains an image. Of those that do, the highest is
closest to the truth: haze below a lower one is explained, too, and predicts a little
better, like smoothing. So found, simulated offsets at 120 and 2,000 photons are right
to 1.3 counts; with the best prediction, those of diffuse nuclei were 8 too low."""

HALVINGS = 3
"""Bisections of the interval between two backgrounds."""


def best_background(
    region: NDArray[np.float32], blur: BlurKernel, noise: NoiseModel
) -> float:
    """Return how far the background lies below zero.

    In dense structure, the darkest places of an image contain out-of-focus light, and
    the background is overestimated, and no object explains the image: dark places would
    have to be darker than is possible. If the first estimate explains it, it is kept;
    otherwise the highest that does is taken. If none does, because the blur is wrong,
    it is the one with which half of the photons best predicts the other. The lowest
    that is tried is the one at which the read noise would be zero.

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
    compared = Backgrounds(region, blur, noise)
    if compared.explained(0.0):
        return 0.0
    found = minimize_scalar(
        compared.error,
        bounds=(0.0, lowest),
        method="bounded",
        options={"maxiter": TRIES, "xatol": lowest / 30},
    )
    best = float(found.x)
    if found.fun >= compared.error(0.0):
        return 0.0
    return _least(compared.explained, best) if compared.explained(best) else best


class Backgrounds:
    """How well an image is predicted and explained with each background.

    Parameters
    ----------
    region, blur, noise
        As `best_background` takes them.
    """

    def __init__(
        self, region: NDArray[np.float32], blur: BlurKernel, noise: NoiseModel
    ) -> None:
        self.blur, self.noise = blur, noise
        self.whole = region
        middle = np.ascontiguousarray(region[middle_of(region.shape, REGION)])
        image = torch.from_numpy(middle)[None, None]
        self.halves = split_photons(image, noise, 0.5, np.random.default_rng(0))

    def error(self, shift: float) -> float:
        """Return the error at the best number of iterations; too few leave haze."""
        estimator = Estimator(ITERATIONS, self.noise.shifted(shift).pedestal)
        one, other = self.halves
        return float(
            errors_of(estimator, (one + shift, other + shift), self.blur).min()
        )

    def explained(self, shift: float) -> bool:
        """Whether some object explains the image with this background."""
        raised, noise = self.whole + np.float32(shift), self.noise.shifted(shift)
        return misfit(raised, self.blur, noise, EXPLAINING) <= EXPLAINED


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
