"""Resolution of a single image, by decorrelation analysis.

Implemented from the paper only: Descloux, Grußmayer and Radenovic, "Parameter-free
image resolution estimation based on decorrelation analysis", Nature Methods 16, 918
(2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import find_peaks

from napari_blurgan.measure.resolution import checked_image, windowed

__all__ = ["Decorrelation", "decorrelation"]

Array = NDArray[np.float64]

FILTERS = 10
# A peak must exceed this; smaller ones are fluctuations of the noise.
PROMINENCE = 1e-3


@dataclass(frozen=True)
class Decorrelation:
    """The result of a decorrelation analysis.

    Parameters
    ----------
    frequency : ndarray
        Radii of the disc, in cycles a micrometre.
    curve : ndarray
        Decorrelation of the unfiltered image at these radii.
    value : float or None
        The resolution in micrometres: the inverse of the highest frequency at which
        a curve peaks; None where none does.
    peak : float
        Height of the unfiltered curve's peak, 0 to 1: the more the image stands above
        its noise the higher; 0 where there is none.
    note : str
        Why there is no resolution, in words; empty where there is one.
    """

    frequency: Array
    curve: Array
    value: float | None
    peak: float
    note: str = ""


def decorrelation(image: ArrayLike, pixel_size: Sequence[float]) -> Decorrelation:
    """Estimate the resolution of an image from itself.

    The spectrum is correlated with itself after normalisation to unit modulus and
    truncation to a disc: signal increases the correlation as the disc grows, noise
    decreases it, and the peak shows how far the signal extends. High-pass filters
    remove ever more of the strong low frequencies, and the highest peak frequency gives
    the resolution. The widths of the filters are spaced evenly on a logarithmic scale
    from a quarter of the image to a seventh of a pixel, then more finely around the
    best.

    Parameters
    ----------
    image : array-like
        (y, x), at least 16 pixels a side. Sampled well enough that the spectrum falls
        to noise before the Nyquist frequency.
    pixel_size : sequence of float
        (y, x) in micrometres.

    Returns
    -------
    Decorrelation
        Curve, resolution and peak.

    Raises
    ------
    DataError
        If the image is not a plane of that size, constant or not finite.
    """
    pixels = checked_image(image, 2)
    modulus, radius, shell, step = _spectrum(pixels, pixel_size)
    curve = _curve(modulus, shell)
    first, height = _peak(curve)
    widest = max(n * v for n, v in zip(pixels.shape, pixel_size, strict=True)) / 4
    widths = np.geomspace(widest, min(pixel_size) / 7, FILTERS)
    best, width = first, widths[0]
    for _ in range(2):
        for candidate in widths:
            lowered = modulus * (1 - np.exp(-2 * (np.pi * candidate * radius) ** 2))
            found, _ = _peak(_curve(lowered, shell))
            if found > best:
                best, width = found, candidate
        widths = np.geomspace(2 * width, width / 2, FILTERS)
    frequency = np.arange(len(curve), dtype=np.float64) * step
    if best == 0:
        note = "no peak: the image has no structure above its noise"
        return Decorrelation(frequency, curve, None, 0.0, note)
    return Decorrelation(frequency, curve, 1 / (step * best), height)


def _spectrum(
    image: Array, pixel_size: Sequence[float]
) -> tuple[Array, Array, NDArray[np.int64], float]:
    """Return modulus, radius and shell number of the coefficients in the disc."""
    along = [np.fft.fftfreq(n, v) for n, v in zip(image.shape, pixel_size, strict=True)]
    radius = np.hypot(*np.ix_(*along))
    step = max(1 / (n * v) for n, v in zip(image.shape, pixel_size, strict=True))
    disc = (radius > 0) & (radius <= 0.5 / max(pixel_size))
    modulus = np.abs(np.fft.fft2(windowed(image)))
    radius = radius[disc]
    return modulus[disc], radius, np.rint(radius / step).astype(np.int64), step


def _curve(modulus: Array, shell: NDArray[np.int64]) -> Array:
    """Return the decorrelation for discs of growing radius (equation 1)."""
    shared = np.cumsum(np.bincount(shell, modulus))
    size = np.cumsum(np.bincount(shell))
    power = float(np.sum(modulus**2))
    return shared / np.sqrt(np.maximum(size, 1) * max(power, 1e-300))


def _peak(curve: Array) -> tuple[int, float]:
    """Return position and height of the highest interior peak; zeros without one."""
    peaks, _ = find_peaks(curve, prominence=PROMINENCE)
    if len(peaks) == 0:
        return 0, 0.0
    best = peaks[np.argmax(curve[peaks])]
    return int(best), float(curve[best])
