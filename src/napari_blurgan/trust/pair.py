"""The measured image, the restored one and others as channels of one stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.stack import ArrayLike, Stack
from napari_blurgan.errors import DataError

__all__ = ["beside", "check_pair"]


class Beside:
    """Arrays of one shape as the channels of another; they are read lazily.

    Parameters
    ----------
    arrays : sequence of array-like
        All of one shape.
    """

    def __init__(self, arrays: Sequence[ArrayLike]) -> None:
        self._arrays = tuple(arrays)
        self.shape = (len(self._arrays), *self._arrays[0].shape)
        self.ndim = len(self.shape)
        self.dtype = np.dtype(np.float32)

    def __getitem__(self, index: Any) -> NDArray[np.float32]:
        channels, *rest = index
        chosen = self._arrays[channels]
        if isinstance(channels, slice):
            return np.stack([np.asarray(a[tuple(rest)], np.float32) for a in chosen])
        return np.asarray(chosen[tuple(rest)], np.float32)


def beside(stacks: Sequence[Stack]) -> Stack:
    """Return stacks of one channel each, of one shape, as a multi-channel stack."""
    first = stacks[0]
    data = Beside([stack.data for stack in stacks])
    return replace(first, data=data, axes=f"C{first.axes}", channel_names=())


def check_pair(measured: Stack, restored: Stack) -> None:
    """Refuse images that do not show the same field in the same voxels.

    Raises
    ------
    DataError
        With what differs.
    """
    for what in ("channels", "spatial_shape"):
        one, other = getattr(measured, what), getattr(restored, what)
        if one != other:
            raise DataError(
                f"{restored.name}: its {what.replace('_', ' ')} is {other}, that of "
                f"{measured.name} {one}; evidence needs a restoration of that image"
            )
    if measured.channels != 1:
        raise DataError(
            f"{measured.name}: has {measured.channels} channels; choose one (channel)"
        )
    if measured.axes != restored.axes or measured.shape != restored.shape:
        raise DataError(
            f"{restored.name}: is {restored.axes} {restored.shape}, {measured.name} "
            f"{measured.axes} {measured.shape}; they must be equal"
        )
