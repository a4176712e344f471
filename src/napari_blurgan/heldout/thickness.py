"""The thickness of the sample around a plane, found by predicting photons."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_blurgan.heldout.comparison import Comparison, worse
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.preparation.photons import split_photons

__all__ = ["best_thickness"]

DIM, BRIGHT = 60.0, 99.9
"""Photons in the brightest pixels (a percentile) that are used at the most. With many
photons, haze is predicted by faint light in the image itself as well as by a thicker
sample, and the thickness found is too small."""

PAST = 3
"""The search ends after this many thicknesses in a row that predict no better."""


def best_thickness(
    region: NDArray[np.float32], blurs: Mapping[float, BlurKernel], noise: NoiseModel
) -> float:
    """Return the thickness whose blur predicts held-out photons best.

    Out-of-focus light from above and below a plane is part of its blur, as far as the
    sample is as thick. Restored with the blur in focus alone, that light stays as haze,
    and half of the photons predict the other half worse. In simulations the thickness
    found is rather too small than too large.

    Parameters
    ----------
    region : ndarray
        (y, x), in normalised intensities, in which zero is the background.
    blurs : mapping
        The blur for each thickness in micrometres, in ascending order, that in focus
        first.
    noise : NoiseModel
        Of the image.

    Returns
    -------
    float
        The first thickness unless another one predicts better, beyond chance.
    """
    first, *others = blurs
    if not region.any():  # a dark image, which any blur predicts
        return first
    comparison = Comparison(*_dimmed(region, blurs[first], noise))
    in_focus = comparison.squares(blurs[first])
    found, least, since = first, _mean(in_focus), 0
    for thickness in others:
        squares = comparison.squares(blurs[thickness])
        if _mean(squares) < least and worse(in_focus, squares):
            found, least, since = thickness, _mean(squares), 0
        else:
            since += 1
        if since == PAST:
            break
    return found


def _dimmed(
    region: NDArray[np.float32], blur: BlurKernel, noise: NoiseModel
) -> tuple[NDArray[np.float32], BlurKernel, NoiseModel]:
    """Return what `Comparison` takes, of an image with few photons."""
    peak = float(np.percentile(region, BRIGHT))
    share = DIM * noise.slope / peak if peak > 0 else 1.0
    if not 0 < share < 1:
        return region, blur, noise
    rng = np.random.default_rng(0)
    image, _ = split_photons(torch.from_numpy(region), noise, share, rng)
    return image.numpy(), blur, noise.with_light(share)


def _mean(squares: Tensor) -> float:
    return float(squares.mean())
