"""Thresholds from the histogram alone, without picking."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_blurgan.errors import DataError

__all__ = ["FROM_HISTOGRAM", "otsu", "triangle"]

BINS = 256


def otsu(pixels: ArrayLike) -> float:
    """Return the level that separates two classes best (Otsu 1979).

    Raises
    ------
    DataError
        If all pixels are equal, or there are none.
    """
    # Loading it takes most of a second.
    from skimage.filters import threshold_otsu

    found = threshold_otsu(hist=_histogram(pixels))  # type: ignore[no-untyped-call]
    return float(found)


def triangle(pixels: ArrayLike) -> float:
    """Return the level farthest below the line from peak to tail (Zack et al. 1977).

    For a small foreground on either side of one large peak.

    Raises
    ------
    DataError
        If all pixels are equal, or there are none.
    """
    counts, centres = _histogram(pixels)
    peak = int(counts.argmax())
    filled = np.flatnonzero(counts)
    first, last = int(filled[0]), int(filled[-1])
    tail = last if last - peak >= peak - first else first
    step = 1 if tail > peak else -1
    bins = np.arange(peak, tail, step)
    slope = (counts[peak] - counts[tail]) / abs(tail - peak)
    line = counts[peak] - slope * np.abs(bins - peak)
    return float(centres[bins[(line - counts[bins]).argmax()]])


FROM_HISTOGRAM: dict[str, Callable[[ArrayLike], float]] = {
    "Otsu": otsu,
    "triangle": triangle,
}


def _histogram(pixels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return counts and the centres of their bins."""
    values = np.asarray(pixels, dtype=np.float64)
    values = values[np.isfinite(values)]
    if values.size == 0 or values.min() == values.max():
        raise DataError("all pixels are equal: there is no threshold between them")
    counts, edges = np.histogram(values, BINS)
    return counts.astype(np.float64), (edges[:-1] + edges[1:]) / 2
