"""The grey levels between which an image is shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["limits_of", "limits_of_stack"]

SHARES = (0.5, 99.9)
"""Percentiles of the pixels shown as black and as white."""
PLANES = 11
"""Planes of a stack that are looked at. Napari looks at the first, often a dark one."""
ACROSS = 1024
"""Pixels of a plane along each axis, around its middle."""
TINY = 1e-6


def limits_of(pixels: NDArray[Any]) -> tuple[float, float]:
    """Return the limits between which all but the extreme pixels lie.

    Parameters
    ----------
    pixels : ndarray
        Finite numbers.
    """
    low, high = np.percentile(pixels, SHARES)
    return float(low), float(max(high, low + TINY))


def limits_of_stack(data: Any) -> tuple[float, float] | None:
    """Return the limits for a stack of planes; None if nothing can be said.

    Parameters
    ----------
    data : array-like
        (…, y, x), in memory or not: a few planes are read.
    """
    if np.dtype(data.dtype).kind not in "uif":
        return None
    parts = [np.asarray(data[place]).ravel() for place in _places(data.shape)]
    pixels = np.concatenate(parts)
    pixels = pixels[np.isfinite(pixels)]
    if pixels.size == 0 or pixels.min() == pixels.max():
        return None
    return limits_of(pixels)


def _places(shape: Sequence[int]) -> list[tuple[int | slice, ...]]:
    """Return where a few planes are, spread evenly over the other axes."""
    outer, plane = shape[:-2], shape[-2:]
    count = math.prod(outer)
    numbers = np.unique(np.linspace(0, count - 1, min(count, PLANES)).round())
    middle = [slice(max(0, (n - ACROSS) // 2), (n + ACROSS) // 2) for n in plane]
    return [
        (*(int(i) for i in np.unravel_index(int(n), outer)), *middle) for n in numbers
    ]
