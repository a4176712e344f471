"""Cameras: photon counting and read-out of a noise-free image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_blurgan.checks import in_range
from napari_blurgan.errors import DataError, OpticsError

__all__ = ["Camera", "Exposure", "paper_noise"]

Exposure = Callable[[NDArray[np.float32], int], NDArray[np.float32]]


LEAST = {"photons": 1e-12, "gain": 1e-12, "read_noise": 0, "offset": -1e12}
MOST = 1e12
"""Limit of every number of a camera; computations are in float32."""


@dataclass(frozen=True)
class Camera:
    """Poisson–Gaussian noise: photons are counted, then read out.

    An image value v becomes ``offset + gain * (Poisson(photons * v) + N(0,
    read_noise))``, so that its mean is ``offset + gain * photons * v`` and its variance
    ``gain**2 * (photons * v + read_noise**2)``.

    Parameters
    ----------
    photons : float
        Detected photons (photo-electrons) that an image value of one stands for.
    read_noise : float
        Standard deviation in electrons.
    gain : float
        Grey levels an electron.
    offset : float
        Grey level of darkness.

    Raises
    ------
    OpticsError
        If a parameter is negative or not finite, or photons or gain are zero.
    """

    photons: float = 1000.0
    read_noise: float = 1.5
    gain: float = 1.0
    offset: float = 100.0

    def __post_init__(self) -> None:
        for name, least in LEAST.items():
            in_range(name, getattr(self, name), least, MOST, error=OpticsError)

    def expose(self, image: ArrayLike, seed: int) -> NDArray[np.float32]:
        """Return a noisy image.

        Parameters
        ----------
        image : array-like
            Expected intensity, of any shape; values below zero count as dark.
        seed : int
            The same seed gives the same noise.

        Returns
        -------
        ndarray of float32
            Grey levels, neither rounded nor cut off.

        Raises
        ------
        DataError
            If the image contains NaN or infinite values.
        """
        rng = np.random.default_rng(seed)
        electrons = rng.poisson(self.photons * _expected(image))
        # numpy takes -0.0 for a negative scale.
        read = rng.normal(0.0, abs(self.read_noise), electrons.shape)
        return (self.offset + self.gain * (electrons + read)).astype(np.float32)


def paper_noise(
    image: ArrayLike, seed: int, peak: float | None = None
) -> NDArray[np.float32]:
    """Add the noise of the simulations of Lim et al. (2020), as we interpret it.

    The paper says "Gaussian noise with σ = 3 and Poisson noise with parameter 7" and
    no more. Its simulations were made with DeconvolutionLab2, which adds the Gaussian
    first and then replaces a positive s by ``m * Poisson(s / m)``. We therefore read
    the parameters on a scale of 8 bits as a Gaussian of three grey levels and seven
    grey levels a photon, a peak of 36 photons. This is an inference, not the paper's
    word; adding Poisson(7) as a background would be a far easier problem.

    Parameters
    ----------
    image : array-like
        Expected intensity, of any shape.
    seed : int
        The same seed gives the same noise.
    peak : float, optional
        The intensity that becomes 255; the image's maximum by default.

    Returns
    -------
    ndarray of float32
        Whole grey levels, 0 to 255.

    Raises
    ------
    DataError
        If the image contains NaN or infinite values, or has no positive peak.
    """
    expected = _expected(image)
    peak = float(expected.max(initial=0.0)) if peak is None else peak
    if peak <= 0:
        raise DataError("the image has no positive value to scale to 255")
    rng = np.random.default_rng(seed)
    grey = 255 / peak * expected
    grey = np.maximum(grey + rng.normal(0.0, 3.0, grey.shape), 0.0)
    counted = 7 * rng.poisson(grey / 7)
    return np.clip(counted, 0, 255).astype(np.float32)


def _expected(image: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(image, dtype=np.float64)
    if not np.isfinite(values).all():
        raise DataError("the image contains NaN or infinite values")
    return np.maximum(values, 0.0)
