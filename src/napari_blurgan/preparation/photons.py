"""One measurement split into two with independent noise."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from napari_blurgan.interruption import heed_stop
from napari_blurgan.measure.splitting import split_counts
from napari_blurgan.preparation.calibration import NoiseModel

__all__ = ["split_photons"]

Image = NDArray[np.float64]

SMOOTHING = 1.5
"""Standard deviation, in voxels, of the local mean that tells dim from bright; a voxel
has a weight of 0.02 in its own, in planes of 0.07."""


def split_photons(
    y: Tensor, noise: NoiseModel, share: float, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Distribute the photons of a measurement over two images with independent noise.

    Where photon noise prevails, counts are divided at random. Where read noise does, a
    Gaussian is added to one part and subtracted from the other: in darkness this is
    exact. Counts with read noise, shifted until their variance equals their mean, have
    uncorrelated parts, too, but the square of one part predicts the other, from which a
    network learns the noise of dim images.

    Parameters
    ----------
    y : Tensor
        ([n, c, z,] y, x), in normalised intensities: zero is the background.
    noise : NoiseModel
        Of y.
    share : float
        Of the light that the first part gets, between 0 and 1.
    rng : numpy.random.Generator
        The only source of chance.

    Returns
    -------
    first, second : Tensor
        As bright as y each, and noisier; their mean, weighted by their shares, is y up
        to the rounding of a count.
    """
    heed_stop()
    image = y.cpu().numpy().astype(np.float64)
    photon_noise = noise.slope * _local_mean(image)
    dim = photon_noise <= noise.intercept
    first, second = np.empty_like(image), np.empty_like(image)
    bright = image[~dim]
    first[~dim], second[~dim] = _counted(bright, noise, share, rng)
    variance = photon_noise[dim] + noise.intercept
    first[dim], second[dim] = _exchanged(image[dim], variance, share, rng)
    one, other = (
        torch.from_numpy(part.astype(np.float32)).to(y.device)
        for part in (first, second)
    )
    return one, other


def _local_mean(image: Image) -> Image:
    """Return the mean around each voxel, not below the background."""
    axes = min(image.ndim, 3)
    widths = (0.0,) * (image.ndim - axes) + (SMOOTHING,) * axes
    return np.maximum(gaussian_filter(image, widths), 0)


def _counted(
    image: Image, noise: NoiseModel, share: float, rng: np.random.Generator
) -> tuple[Image, Image]:
    counts = np.rint((image + noise.pedestal) / noise.slope).clip(min=0)
    first, second = split_counts(counts, share, rng)
    one, other = first / share, second / (1 - share)
    return noise.slope * one - noise.pedestal, noise.slope * other - noise.pedestal


def _exchanged(
    image: Image, variance: Image, share: float, rng: np.random.Generator
) -> tuple[Image, Image]:
    added = rng.normal(0, np.sqrt(variance))
    odds = np.sqrt((1 - share) / share)
    return image + odds * added, image - added / odds
