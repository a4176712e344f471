"""One measurement split into two with independent noise."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_blurgan.interruption import heed_stop
from napari_blurgan.measure.splitting import split_counts
from napari_blurgan.preparation.calibration import NoiseModel

__all__ = ["split_photons"]

Image = NDArray[np.float64]


def split_photons(
    y: Tensor, noise: NoiseModel, share: float, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Distribute the photons of a measurement over two images.

    Counts with read noise are shifted until their variance equals their mean; dividing
    them at random then gives two uncorrelated parts, as long as no count is negative.
    Without photon noise, a Gaussian is added to one part and subtracted from the other.

    Parameters
    ----------
    y : Tensor
        Of any shape, in normalised intensities: zero is the background.
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
    halves = _counted if noise.slope > 0 else _gaussian
    one, other = (
        torch.from_numpy(part.astype(np.float32)).to(y.device)
        for part in halves(image, noise, share, rng)
    )
    return one, other


def _counted(
    image: Image, noise: NoiseModel, share: float, rng: np.random.Generator
) -> tuple[Image, Image]:
    counts = np.rint((image + noise.pedestal) / noise.slope).clip(min=0)
    first, second = split_counts(counts, share, rng)
    one, other = first / share, second / (1 - share)
    return noise.slope * one - noise.pedestal, noise.slope * other - noise.pedestal


def _gaussian(
    image: Image, noise: NoiseModel, share: float, rng: np.random.Generator
) -> tuple[Image, Image]:
    added = rng.normal(0, np.sqrt(noise.intercept), image.shape)
    odds = np.sqrt((1 - share) / share)
    return image + odds * added, image - added / odds
