"""Resolution without ground truth: Fourier ring and shell correlation.

Two images of one object with independent noise agree up to the finest detail that
rises above the noise. `frc` and `fsc` compare them frequency by frequency and report
where the agreement falls below a threshold. The two may be two exposures, or the
halves of one that `napari_blurgan.measure.splitting` makes.

The result is a property of the image, signal and noise together, and says nothing about
its truth: an image restored by a network contains detail of the network, which two
restorations of one exposure share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import uniform_filter1d
from scipy.signal.windows import tukey

from napari_blurgan.errors import DataError

__all__ = [
    "Resolution",
    "Section",
    "Threshold",
    "frc",
    "fsc",
    "half_bit",
    "sectioned_fsc",
]

Array = NDArray[np.float64]
Threshold = Literal["1/7", "half-bit"]

# The part of each axis over which an image fades to zero: a full (Hann) taper leaves
# so few independent coefficients that thin sections of a stack become a lottery.
TAPER = 0.5
# Near the origin the shells hold so few coefficients that noise alone may agree. What
# lies before a crossing has to agree by so many standard errors; the taper makes
# about two neighbouring coefficients one.
SIGNIFICANT = 4.0
NEIGHBOURS = 2.0


@dataclass(frozen=True)
class Resolution:
    """A correlation curve and its crossing with the threshold.

    Parameters
    ----------
    frequency : ndarray
        Cycles a micrometre, one for each ring or shell.
    correlation : ndarray
        Between the two images, -1 to 1.
    threshold : ndarray
        What the correlation is held against.
    value : float or None
        The resolution in micrometres, the inverse of the frequency of the crossing;
        None where there is no crossing.
    note : str
        Why there is no crossing, in words; empty where there is one.
    """

    frequency: Array
    correlation: Array
    threshold: Array
    value: float | None
    note: str = ""


@dataclass(frozen=True)
class Section:
    """The Fourier shell correlation in one range of directions.

    Parameters
    ----------
    angles : tuple of float
        Least and greatest angle from the optical axis, in degrees: near 0 is axial,
        near 90 lateral.
    resolution : Resolution
        In these directions.
    """

    angles: tuple[float, float]
    resolution: Resolution


@dataclass(frozen=True)
class _Spectra:
    """The common content of two images, frequency by frequency (half spectra)."""

    cross: Array
    power: tuple[Array, Array]
    along: list[Array]
    step: float
    nyquist: tuple[float, ...]


def frc(
    first: ArrayLike,
    second: ArrayLike,
    pixel_size: Sequence[float],
    threshold: Threshold = "1/7",
) -> Resolution:
    """Return the Fourier ring correlation of two images.

    Saxton and Baumeister (1982), with a tapered border; Nieuwenhuizen et al. (2013) for
    the threshold of 1/7, van Heel and Schatz (2005) for the half-bit curve.

    Parameters
    ----------
    first, second : array-like
        (y, x), of one shape.
    pixel_size : sequence of float
        (y, x) in micrometres.
    threshold : {"1/7", "half-bit"}
        Of the correlation.

    Returns
    -------
    Resolution
        Of the detail that the two images share.

    Raises
    ------
    DataError
        If the images are not two alike planes of at least 16 pixels a side, constant
        or not finite.
    """
    spectra = _spectra(first, second, pixel_size, ndim=2)
    return _curve(spectra, _radius(spectra.along), min(spectra.nyquist), threshold)


def fsc(
    first: ArrayLike,
    second: ArrayLike,
    voxel_size: Sequence[float],
    threshold: Threshold = "1/7",
) -> Resolution:
    """Return the Fourier shell correlation of two volumes, over all directions.

    Up to the Nyquist frequency of the coarsest axis, which for most stacks is z;
    `sectioned_fsc` separates directions.

    Parameters
    ----------
    first, second : array-like
        (z, y, x), of one shape.
    voxel_size : sequence of float
        (z, y, x) in micrometres.
    threshold : {"1/7", "half-bit"}
        Of the correlation.

    Returns
    -------
    Resolution
        Of the detail that the two volumes share.

    Raises
    ------
    DataError
        If the volumes are not two alike of at least 8 planes and 16 pixels a side,
        constant or not finite.
    """
    spectra = _spectra(first, second, voxel_size, ndim=3)
    return _curve(spectra, _radius(spectra.along), min(spectra.nyquist), threshold)


def sectioned_fsc(
    first: ArrayLike,
    second: ArrayLike,
    voxel_size: Sequence[float],
    threshold: Threshold = "1/7",
    sections: int = 6,
) -> tuple[Section, ...]:
    """Return the Fourier shell correlation by direction, from axial to lateral.

    Frequencies are sorted by their angle to the optical axis (after Koho et al. 2019,
    whose sectors rotate in the xz plane), each section up to the frequency at which its
    middle direction exceeds the sampling.

    Parameters
    ----------
    first, second : array-like
        (z, y, x), of one shape.
    voxel_size : sequence of float
        (z, y, x) in micrometres.
    threshold : {"1/7", "half-bit"}
        Of the correlation.
    sections : int
        Number of equal ranges of the angle from 0 to 90 degrees.

    Returns
    -------
    tuple of Section
        The first is axial, the last lateral.

    Raises
    ------
    DataError
        As for `fsc`.
    """
    spectra = _spectra(first, second, voxel_size, ndim=3)
    radius, lateral = _radius(spectra.along), _radius(spectra.along[1:])
    angle = np.degrees(np.arctan2(lateral, np.abs(spectra.along[0])))
    edges = np.linspace(0, 90, sections + 1)
    found = []
    for low, high in pairwise(edges):
        middle = np.radians((low + high) / 2)
        limit = min(
            spectra.nyquist[0] / np.cos(middle),
            min(spectra.nyquist[1:]) / np.sin(middle),
        )
        # The last section includes its upper edge.
        inside = (angle >= low) & ((angle < high) | (high == 90))
        curve = _curve(spectra, np.where(inside, radius, np.inf), limit, threshold)
        found.append(Section((float(low), float(high)), curve))
    return tuple(found)


def half_bit(independent: ArrayLike) -> Array:
    """Return the half-bit threshold for shells of so many independent coefficients.

    Van Heel and Schatz (2005), equation 17: 0.1716 for large shells, more for small.
    """
    root = np.sqrt(np.asarray(independent, dtype=np.float64))
    return (0.2071 + 1.9102 / root) / (1.2071 + 0.9102 / root)


def _spectra(
    first: ArrayLike, second: ArrayLike, voxel_size: Sequence[float], ndim: int
) -> _Spectra:
    images = [checked_image(image, ndim) for image in (first, second)]
    shape = images[0].shape
    if shape != images[1].shape:
        raise DataError(f"the two images have the shapes {shape} and {images[1].shape}")
    voxel = tuple(float(v) for v in voxel_size)
    if len(voxel) != ndim or not all(0 < v < np.inf for v in voxel):
        raise DataError(
            f"{ndim} voxel sizes in micrometres are needed, all positive; found {voxel}"
        )
    one, two = (np.fft.rfftn(windowed(image)) for image in images)
    lines = [np.fft.fftfreq(n, v) for n, v in zip(shape, voxel, strict=True)]
    lines[-1] = np.fft.rfftfreq(shape[-1], voxel[-1])
    return _Spectra(
        cross=(one * two.conj()).real,
        power=(np.abs(one) ** 2, np.abs(two) ** 2),
        along=list(np.ix_(*lines)),
        step=max(1 / (n * v) for n, v in zip(shape, voxel, strict=True)),
        nyquist=tuple(0.5 / v for v in voxel),
    )


def _radius(along: Sequence[Array]) -> Array:
    return np.sqrt(sum((f**2 for f in along), np.zeros(())))


def checked_image(image: ArrayLike, ndim: int) -> Array:
    """Return an image in double precision, if its spectrum can be computed."""
    pixels = np.asarray(image, dtype=np.float64)
    if pixels.ndim != ndim:
        raise DataError(f"a {ndim}D image is needed, found the shape {pixels.shape}")
    if min(pixels.shape[-2:]) < 16 or pixels.shape[0] < 8:
        raise DataError(
            f"an image of shape {pixels.shape} is too small for a resolution; it needs "
            "16 pixels in y and x, and a volume 8 planes"
        )
    if not np.isfinite(pixels).all() or np.ptp(pixels) == 0:
        raise DataError("the image is constant, or contains NaN or infinite values")
    return pixels


def windowed(image: Array) -> Array:
    """Taper to zero at the border, where a jump would look like fine detail."""
    windows = [tukey(n + 2, TAPER)[1:-1] for n in image.shape]
    window = np.ones(())
    for part in np.ix_(*windows):
        window = window * part
    mean = np.sum(image * window) / np.sum(window)
    return (image - mean) * window


def _curve(
    spectra: _Spectra, radius: Array, limit: float, threshold: Threshold
) -> Resolution:
    shells = int(limit / spectra.step) + 1
    near = radius < (shells - 0.5) * spectra.step
    shell = np.rint(radius[near] / spectra.step).astype(np.int64)
    count = np.bincount(shell, minlength=shells)
    cross, one, two = (
        np.bincount(shell, values[near], minlength=shells)
        for values in (spectra.cross, *spectra.power)
    )
    # The shell of zero frequency contains the rest of the mean.
    kept = (count > 0) & (one > 0) & (two > 0) & (np.arange(shells) > 0)
    frequency = np.arange(shells, dtype=np.float64)[kept] * spectra.step
    correlation: Array = cross[kept] / np.sqrt(one[kept] * two[kept])
    level = np.full(len(frequency), 1 / 7)
    if threshold == "half-bit":
        level = half_bit(count[kept])
    value, note = _crossing(frequency, correlation, level, count[kept])
    return Resolution(frequency, correlation, level, value, note)


def _crossing(
    frequency: Array, correlation: Array, level: Array, count: NDArray[np.int64]
) -> tuple[float | None, str]:
    """Find where the curve, averaged over three shells, first falls below its level."""
    if len(frequency) < 3:
        return None, "too few frequencies for a curve: the image is too small"
    excess = uniform_filter1d(correlation - level, 3, mode="nearest")
    below = np.flatnonzero(excess < 0)
    if len(below) == 0:
        return None, (
            f"no crossing up to {frequency[-1]:.3g} cycles/µm: detail reaches the "
            "limit of the sampling, or the noise of the two images is not independent"
        )
    i = int(below[0])
    if not _significant(correlation[:i], count[:i]):
        return None, (
            f"below the threshold from {frequency[i]:.3g} cycles/µm on: the two images "
            "share no structure above the noise"
        )
    part = excess[i - 1] / (excess[i - 1] - excess[i])
    crossing = frequency[i - 1] + part * (frequency[i] - frequency[i - 1])
    return float(1 / crossing), ""


def _significant(correlation: Array, count: NDArray[np.int64]) -> bool:
    total = float(count.sum())
    pooled = float(np.sum(correlation * count)) / max(total, 1.0)
    return pooled * np.sqrt(total / NEIGHBOURS) > SIGNIFICANT
