"""Read a box from a stack, and nothing around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError, DataError

__all__ = ["check_channels", "check_finite", "check_readable", "read_region"]


def check_channels(stack: Stack, channels: Sequence[int] | None) -> tuple[int, ...]:
    """Return the channels to read; all of them by default.

    Raises
    ------
    AxesError
        If the stack lacks one of them.
    """
    chosen = range(stack.channels) if channels is None else channels
    missing = [c for c in chosen if not 0 <= c < stack.channels]
    if missing or not chosen:
        raise AxesError(
            f"{stack.name}: no channel {missing or 'chosen'}, it has "
            f"{stack.channels} (counted from 0)"
        )
    return tuple(chosen)


def check_readable(stack: Stack) -> None:
    """Check that there are voxels, and that they are real numbers.

    Raises
    ------
    DataError
        If the stack is empty, or complex or otherwise not real.
    """
    if 0 in stack.data.shape:
        raise DataError(
            f"{stack.name}: is empty, its shape is {tuple(stack.data.shape)}"
        )
    kind = np.dtype(stack.data.dtype).kind
    if kind not in "buif":
        raise DataError(
            f"{stack.name}: holds {stack.data.dtype}, expected real numbers; give a "
            f"complex image as two channels"
        )


def read_region(
    stack: Stack,
    time: int,
    start: Sequence[int],
    shape: Sequence[int],
    channels: Sequence[int],
) -> NDArray[Any]:
    """Read one box of one time point.

    Parameters
    ----------
    stack : Stack
        Where to read; lazy arrays are asked for this box only.
    time : int
        Index along T; ignored without such an axis.
    start, shape : sequence of int
        Corner and size along `Stack.spatial_axes`, inside the stack.
    channels : sequence of int
        Channels in the order wanted.

    Returns
    -------
    ndarray, (channel, z, y, x) or (channel, y, x)
        In the dtype of the data.
    """
    spatial = stack.spatial_axes
    box = {a: slice(s, s + n) for a, s, n in zip(spatial, start, shape, strict=True)}
    first, last = min(channels), max(channels) + 1
    if not {"C", "S"} <= set(stack.axes):
        # Channels lie along one axis, of which a range is enough.
        box |= {"C": slice(first, last), "S": slice(first, last)}
        channels = [c - first for c in channels]
    index = tuple(time if a == "T" else box.get(a, slice(None)) for a in stack.axes)
    region = np.asarray(stack.data[index])
    axes = stack.axes.replace("T", "")
    region = region.transpose([axes.index(a) for a in "CS" + spatial if a in axes])
    region = region.reshape(-1, *shape)
    if list(channels) == list(range(len(region))):
        return region
    return region[list(channels)]


def check_finite(
    region: NDArray[Any], stack: Stack, time: int, start: Sequence[int]
) -> None:
    """Raise a `DataError` with the position, if a value is NaN or infinite."""
    if region.dtype.kind != "f" or np.isfinite(region).all():
        return
    at = np.argwhere(~np.isfinite(region))[0]
    place = [
        f"{axis} = {s + n}"
        for axis, s, n in zip(stack.spatial_axes.lower(), start, at[1:], strict=True)
    ]
    if stack.size("T") > 1:
        place.insert(0, f"t = {time}")
    raise DataError(
        f"{stack.name}: found {region[tuple(at)]} at {', '.join(place)}, expected "
        f"finite numbers; replace such voxels first, for example by the background"
    )
