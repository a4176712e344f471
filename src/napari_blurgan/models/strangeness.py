"""How far the appearance of an image is from that of others, and how far is usual."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from napari_blurgan.preparation.appearance import FREQUENCIES, Appearance, Values

__all__ = ["Strangeness", "strangeness"]

USUAL: tuple[tuple[float, ...], ...] = (
    (6.38e-04,),
    (-3.08e-03, 2.06e-02),
    (-2.33e-03, 9.55e-03, 1.51e-02),
    (-3.73e-03, 1.47e-02, 1.62e-02, 3.17e-02),
    (-5.58e-03, 2.21e-02, 2.29e-02, 4.22e-02, 8.15e-02),
    (-1.53e-03, 4.00e-03, 7.37e-03, 1.04e-02, 1.53e-02, 2.87e-02),
    (4.86e-04, -1.64e-03, -2.79e-03, -2.30e-03, -3.11e-03, -1.56e-02, 1.04e-02),
)
"""Covariance of the features between images of one kind, for images of `LARGE` voxels;
without what is above the diagonal. Printed by `benchmarks.claims.shifts --calibrate`,
of simulations of three structures."""

FLOOR = 0.05
"""By which each feature may always differ."""

LARGE = 2**19
"""Voxels from which on a larger image is no more like others of its kind."""

WORTH = 64
"""Blocks of the training that say as much of the covariance as `USUAL` does."""
BLOCKS = 24
"""Of the training, of which its own covariance is known."""

TOLERATED = 2.0
"""Root mean square of the differences, in standard deviations."""

TOLERATED_FADING = 2.1
"""Standard deviations of fading: see `_fading`."""


class Strangeness(NamedTuple):
    """Difference between an image and the training.

    Attributes
    ----------
    difference : float
        Of all features together, in units of what is tolerated.
    worst : int
        Number of the feature that differs most.
    moved : float
        Difference of that feature.
    fading : float
        By how much more detail fades the finer it is, in units of what is tolerated;
        below zero, the less it fades.
    """

    difference: float
    worst: int
    moved: float
    fading: float


def strangeness(found: Appearance, known: Appearance) -> Strangeness:
    """Compare an image with the training, by their features.

    The variation that is expected is estimated from the training images and from
    simulations; it is larger in small images. The distance is that of Mahalanobis.

    Parameters
    ----------
    found, known : Appearance
        Of the image and of the training.
    """
    moved = np.subtract(found.features, known.features)
    variance = _usual(known) * (1 / min(found.voxels, LARGE) + 1 / known.voxels)
    distance = float(np.sqrt(moved @ np.linalg.solve(variance, moved) / len(moved)))
    worst = int((np.abs(moved) / np.sqrt(np.diag(variance))).argmax())
    return Strangeness(
        distance / TOLERATED,
        worst,
        float(moved[worst]),
        _fading(moved, variance, known) / TOLERATED_FADING,
    )


def _fading(moved: Values, variance: Values, known: Appearance) -> float:
    """Return how clearly fine detail is weaker, in standard deviations.

    A lower NA, defocus or smaller pixels lower the logarithm of the power in proportion
    to the frequency: the matched filter for this.
    """
    bands = slice(0, len(FREQUENCIES))
    powers = np.exp(known.features[bands])
    fainter = np.sum(powers * FREQUENCIES) - FREQUENCIES  # powers are shares
    weights = np.linalg.solve(variance[bands, bands], fainter)
    return float(moved[bands] @ weights / np.sqrt(fainter @ weights))


def _usual(known: Appearance) -> Values:
    """Return the covariance for one voxel, of the training and of simulations."""
    low = np.zeros((len(USUAL), len(USUAL)))
    for n, row in enumerate(USUAL):
        low[n, : n + 1] = row
    usual = LARGE * (low + np.tril(low, -1).T + FLOOR**2 * np.eye(len(low)))
    found: Values = (WORTH * usual + BLOCKS * np.array(known.spread)) / (WORTH + BLOCKS)
    return found
