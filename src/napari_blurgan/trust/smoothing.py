"""Means over neighbourhoods of the size of the PSF."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

__all__ = ["Neighbourhood", "core_share", "core_sigmas"]

CORE = 0.1
"""Fraction of the peak of a PSF above which its core lies; haze lies below."""

LEAST_SIGMA = 0.5
REACH = 3.0


def core_sigmas(psf: NDArray[np.float32]) -> tuple[float, ...]:
    """Return the standard deviation of the core of a PSF along each axis, in voxels.

    Parameters
    ----------
    psf : ndarray
        ([z,] y, x), centred at n // 2.
    """
    core = np.where(psf > CORE * psf.max(), psf, 0).astype(np.float64)
    core /= core.sum()
    places = np.meshgrid(*map(np.arange, psf.shape), indexing="ij", sparse=True)
    variances = [
        (core * (p - n // 2) ** 2).sum() for p, n in zip(places, psf.shape, strict=True)
    ]
    return tuple(max(float(np.sqrt(v)), LEAST_SIGMA) for v in variances)


def core_share(psf: NDArray[np.float32]) -> float:
    """Return the share of the light of a point that falls into the core of its PSF."""
    return float(psf[psf > CORE * psf.max()].sum() / psf.sum())


class Neighbourhood:
    """Gaussian weights around a voxel; zero beyond the border.

    Parameters
    ----------
    sigmas : sequence of float
        Standard deviations along the spatial axes, in voxels.
    """

    def __init__(self, sigmas: Sequence[float]) -> None:
        self.sigmas = tuple(sigmas)
        self._weights = [_gaussian(sigma) for sigma in sigmas]

    @property
    def reach(self) -> tuple[int, ...]:
        """Distance beyond which weights are zero, in voxels along each axis."""
        return tuple(len(w) // 2 for w in self._weights)

    def mean(self, image: Tensor) -> Tensor:
        """Return the weighted sum, with weights that sum to one inside the image."""
        return self._filter(image, self._weights)

    def variance_of_mean(self, variance: Tensor) -> Tensor:
        """Return the variance of `mean`, for independent voxels of given variances."""
        return self._filter(variance, [w.square() for w in self._weights])

    def _filter(self, image: Tensor, weights: Sequence[Tensor]) -> Tensor:
        dims = len(weights)
        convolve = F.conv3d if dims == 3 else F.conv2d
        flat = image.reshape(-1, 1, *image.shape[-dims:])
        for axis, w in enumerate(weights):
            shape = [len(w) if a == axis else 1 for a in range(dims)]
            kernel = w.to(flat).reshape(1, 1, *shape)
            flat = convolve(flat, kernel, padding=[n // 2 for n in shape])
        return flat.reshape(image.shape)


def _gaussian(sigma: float) -> Tensor:
    reach = int(np.ceil(REACH * sigma))
    places = torch.arange(-reach, reach + 1, dtype=torch.float32)
    weights = torch.exp(-0.5 * (places / max(sigma, 1e-6)) ** 2)
    return weights / weights.sum()
