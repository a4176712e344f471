"""Multi-channel images: which channels are intensities, and their mean."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.stack import Stack
from napari_blurgan.data.view import RangeView

__all__ = ["ChannelMean", "without_alpha"]


def without_alpha(stack: Stack) -> Stack:
    """Return an RGBA image as RGB, still lazy; any other image unchanged.

    The fourth sample is the opacity of a pixel, not an intensity.
    """
    if stack.size("S") != 4:
        return stack
    data = RangeView(stack.data, stack.axes.index("S"), 0, 3)
    return stack.with_data(data)


class ChannelMean:
    """The mean over the channels of a stack, read when it is indexed.

    An image of one channel is unchanged, in its own dtype; the mean of several is
    float64. An alpha channel is ignored.

    Parameters
    ----------
    stack : Stack
        Of any axes.

    Attributes
    ----------
    axes : str
        Those of the stack that are not channels, in its order.
    shape : tuple of int
        Their lengths.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack = without_alpha(stack)
        self.axes = "".join(a for a in stack.axes if a not in "CS")
        self.shape = tuple(stack.size(a) for a in self.axes)
        self.ndim = len(self.shape)
        single = stack.channels == 1
        self.dtype = np.dtype(stack.data.dtype) if single else np.dtype(np.float64)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """Read the integers and slices of an index along `axes`."""
        key = index if isinstance(index, tuple) else (index,)
        named = dict(zip(self.axes, key, strict=False))
        chosen = [named.get(a, slice(None)) for a in self._stack.axes]
        pixels = np.asarray(self._stack.data[tuple(chosen)])
        left = [
            a
            for a, k in zip(self._stack.axes, chosen, strict=True)
            if isinstance(k, slice)
        ]
        channels = tuple(i for i, a in enumerate(left) if a in "CS")
        if self._stack.channels == 1:
            return pixels.squeeze(channels)
        return pixels.mean(axis=channels, dtype=np.float64)
