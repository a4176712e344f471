"""PSFs in FFT order, with their centre at the first voxel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["unwrapped"]

ACROSS = 0.25  # share of the light on either side of the peak that lies across the end
CLEAR = 1.5  # robust standard deviations of all values: more than noise
FAINT = 0.02  # share of the peak: with less light around it, its position decides


def unwrapped(data: NDArray[Any]) -> tuple[NDArray[Any], tuple[int, ...]]:
    """Reorder a PSF whose centre is at the first voxel, as for FFTs.

    An axis is in FFT order if the peak is near one of its ends and its light continues
    at the other end. A PSF that is near an end and cut off there has no light at the
    other, and is left unchanged.

    Parameters
    ----------
    data : ndarray
        (z, y, x) or (y, x), real.

    Returns
    -------
    data : ndarray
        The peak near ``n // 2`` along every axis that was in FFT order; `data` itself
        if none was.
    axes : tuple of int
        Which those were.
    """
    peak = _peak(data)
    near = [a for a, n in enumerate(data.shape) if _at_an_end(peak[a], n)]
    if not near or not np.isfinite(data).all():
        return data, ()
    dark = float(np.median(data))
    above = CLEAR * 1.4826 * float(np.median(abs(data - dark)))
    axes = tuple(
        axis
        for axis in near
        if _goes_on_across(data[_line(peak, axis)] - dark, peak[axis], above)
    )
    return np.roll(data, [data.shape[a] // 2 for a in axes], axes), axes


def _peak(data: NDArray[Any]) -> tuple[int, ...]:
    """Return where the brightest voxel is: of several, the one nearest the middle."""
    brightest = np.argwhere(data == data.max())
    if not len(brightest):  # NaN
        return tuple(n // 2 for n in data.shape)
    away = abs(brightest - [n // 2 for n in data.shape]).max(axis=1)
    return tuple(int(i) for i in brightest[away.argmin()])


def _at_an_end(place: int, n: int) -> bool:
    return n > 2 and min(place, n - place) <= n // 4


def _line(place: Sequence[int], axis: int) -> tuple[Any, ...]:
    return tuple(slice(None) if a == axis else p for a, p in enumerate(place))


def _goes_on_across(line: NDArray[Any], peak: int, above: float) -> bool:
    """Return whether the light of a peak near one end continues at the other end.

    The two sides are compared at the distances that extend across the end, if they
    exceed the noise.
    """
    n, beyond = len(line), min(peak, len(line) - peak) + 1
    reach = np.arange(beyond, max(beyond, n // 4) + 1)
    sides = line[(peak + reach) % n], line[(peak - reach) % n]
    after, before = (np.maximum(side, 0).astype(np.float64) for side in sides)
    both = after.sum() + before.sum()
    if both <= FAINT * line[peak]:
        return peak == 0
    shared = np.minimum(after, before)
    return bool(shared[0] > above and 2 * shared.sum() > ACROSS * both)
