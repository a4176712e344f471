"""Volumes seen from three directions, resampled to cubic voxels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError, DataError

__all__ = ["VIEWS", "isotropic", "sections", "seen_from", "seen_from_above"]

# Letter of each axis: the sections lie in Y and X, and Z runs across them.
VIEWS = {"xy": "ZYX", "xz": "YZX", "yz": "YXZ"}


def isotropic(stack: Stack) -> Stack:
    """Return a volume with cubic voxels, as long as they were wide.

    Planes are interpolated linearly along z; the first stays where it is. The whole
    volume is held in memory, as float32.

    Raises
    ------
    AxesError
        If it is no volume.
    DataError
        If the size of its voxels is unknown.
    """
    if "Z" not in stack.axes:
        raise AxesError(f"{stack.name} is a plane; sections along z need volumes")
    z, y, x = stack.voxel_size
    if not (z and y and x):
        raise DataError(
            f"{stack.name}: sections along z need the voxel size in z, y and x; "
            f"found {stack.voxel_size}. Enter it in the window, or save it in the file"
        )
    width = (y + x) / 2
    axis = stack.axes.index("Z")
    whole = np.asarray(stack.data[(slice(None),) * len(stack.axes)])
    data = _interpolated(whole, axis, width / z)
    return replace(stack, data=data, voxel_size=(width, y, x))


def _interpolated(
    image: NDArray[np.generic], axis: int, step: float
) -> NDArray[np.float32]:
    """Return planes at 0, step, 2 step … up to the last one."""
    planes = image.shape[axis]
    places = np.arange(int((planes - 1) / step + 1e-6) + 1) * step
    below = np.minimum(places.astype(int), max(planes - 2, 0))
    shape = [1] * image.ndim
    shape[axis] = len(places)
    share = (places - below).astype(np.float32).reshape(shape)
    low, high = (
        np.take(image, np.minimum(i, planes - 1), axis).astype(np.float32)
        for i in (below, below + 1)
    )
    return low + share * (high - low)


def seen_from(stack: Stack, view: str) -> Stack:
    """Return the same voxels with the axes renamed for sections of one of `VIEWS`."""
    named = dict(zip("ZYX", VIEWS[view], strict=True))
    sizes = dict(zip("ZYX", stack.voxel_size, strict=True))
    turned = {new: sizes[old] for old, new in named.items()}
    return replace(
        stack,
        axes=_renamed(stack.axes, named),
        voxel_size=(turned["Z"], turned["Y"], turned["X"]),
    )


def seen_from_above(axes: str, view: str) -> str:
    """Return the axes as they were before `seen_from`."""
    return _renamed(axes, dict(zip(VIEWS[view], "ZYX", strict=True)))


def _renamed(axes: str, names: dict[str, str]) -> str:
    return "".join(names.get(a, a) for a in axes)


def sections(
    stacks: Sequence[Stack], views: Sequence[str], cubic: bool = False
) -> list[Stack]:
    """Return volumes with cubic voxels per view; unchanged if that is only "xy".

    Parameters
    ----------
    stacks : sequence of Stack
        Volumes.
    views : sequence of str
        Of `VIEWS`.
    cubic : bool
        Whether voxels are made cubes even then.
    """
    if tuple(views) == ("xy",) and not cubic:
        return list(stacks)
    cubes = [isotropic(stack) for stack in stacks]
    return [seen_from(cube, view) for cube in cubes for view in views]
