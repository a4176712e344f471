"""Lazy views of an array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_blurgan.axes import ArrayLike

__all__ = ["AxisView", "RangeView"]


class AxisView:
    """`array` with `axis` fixed at `index`; nothing is read until it is indexed.

    Parameters
    ----------
    array : array-like
        Indexed with one integer or slice for each of its axes.
    axis : int
        Which axis to fix.
    index : int
        Where.
    """

    def __init__(self, array: ArrayLike, axis: int, index: int) -> None:
        self.array = array
        self.axis = axis
        self.index = index
        self.dtype = array.dtype
        self.shape = tuple(n for a, n in enumerate(array.shape) if a != axis)

    @property
    def ndim(self) -> int:
        """Number of axes that remain."""
        return len(self.shape)

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        return np.asarray(self[()], dtype=dtype)

    def __getitem__(self, index: Any) -> Any:
        """Read `index` along the remaining axes."""
        key = list(index) if isinstance(index, tuple) else [index]
        key += [slice(None)] * (len(self.shape) - len(key))
        key.insert(self.axis, self.index)
        return self.array[tuple(key)]


class RangeView:
    """A range of `array` along one axis; nothing is read until it is indexed.

    Parameters
    ----------
    array : array-like
        Indexed with one integer or slice for each of its axes.
    axis : int
        Which axis to cut.
    start, stop : int
        The first index, and the one after the last.
    """

    def __init__(self, array: ArrayLike, axis: int, start: int, stop: int) -> None:
        self.array = array
        self.axis = axis
        self.range = range(start, stop)
        self.dtype = array.dtype
        sizes = list(array.shape)
        sizes[axis] = len(self.range)
        self.shape = tuple(sizes)

    def __getitem__(self, index: Any) -> Any:
        """Read `index` within the range."""
        key = list(index) if isinstance(index, tuple) else [index]
        key += [slice(None)] * (len(self.shape) - len(key))
        chosen = self.range[key[self.axis]]
        if isinstance(chosen, range):
            chosen = slice(chosen.start, chosen.stop, chosen.step)
        key[self.axis] = chosen
        return self.array[tuple(key)]
