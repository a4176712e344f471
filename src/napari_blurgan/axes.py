"""Arrays and the letters of their axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from napari_blurgan.errors import AxesError

__all__ = [
    "FOCAL_DEPTH",
    "KNOWN_AXES",
    "SAMPLES",
    "ArrayLike",
    "VoxelSize",
    "check_axes",
    "guess_axes",
    "known",
    "label_axes",
    "name_axes",
    "taken_as",
]

VoxelSize = tuple[float | None, float | None, float | None]
"""(z, y, x) in micrometres; None where unknown."""
FOCAL_DEPTH = 0.1
"""Depth of the voxels, in µm, over which the PSF of a single plane is computed: so thin
that it is the PSF in focus."""
KNOWN_AXES = "TCZYXS"
UNLABELLED = "QI"
BY_NDIM = {2: "YX", 3: "ZYX"}
SAMPLES = (3, 4)
"""Of a pixel in colour, without and with alpha."""


class ArrayLike(Protocol):
    """The interface required of an array: numpy, zarr and dask all have it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes along the axes."""

    @property
    def dtype(self) -> Any:
        """A numpy dtype, or anything that numpy converts to one."""

    def __getitem__(self, index: Any) -> Any: ...


def check_axes(axes: str, shape: Sequence[int], name: str = "image") -> None:
    """Refuse letters that do not describe an image.

    Parameters
    ----------
    axes : str
        One capital letter an axis.
    shape : sequence of int
        Of the array.
    name : str
        Of the image, for messages.

    Raises
    ------
    AxesError
        If there are more or fewer letters than axes, a letter is unknown or stands
        twice, or Y or X is missing.
    """
    ndim = len(shape)
    if len(axes) != ndim:
        raise AxesError(
            f"{name}: axes {axes!r} name {len(axes)} axes, but the "
            f"data have {ndim} (shape {tuple(shape)})"
        )
    if len(set(axes)) != ndim or set(axes) - set(KNOWN_AXES):
        raise AxesError(
            f"{name}: axes {axes!r} must be different letters of {KNOWN_AXES}"
        )
    if not {"Y", "X"} <= set(axes):
        raise AxesError(
            f"{name}: an image needs the axes Y and X, found {axes!r} "
            f"with shape {tuple(shape)}"
        )


def guess_axes(shape: Sequence[int], name: str = "array") -> str:
    """Return the default axes of an array: YX or ZYX.

    Raises
    ------
    AxesError
        For any other number of axes, because T and C cannot be told apart.
    """
    axes = BY_NDIM.get(len(shape))
    if axes is None:
        raise AxesError(
            f"{name}: found {len(shape)} axes without names (shape {tuple(shape)}); "
            'expected a plane (y, x) or a volume (z, y, x). Say axes="TZYX" or the like'
        )
    return axes


def name_axes(shape: Sequence[int], name: str = "array") -> str:
    """Return the axes of an array without further information, as `guess_axes`.

    Raises
    ------
    AxesError
        Also if it could be a colour image as well as a volume.
    """
    if len(shape) == 3 and shape[-1] in SAMPLES:
        raise AxesError(
            f"{name}: an array of shape {tuple(shape)} may be a colour picture or a "
            f'volume of {shape[-1]} columns: say which, axes="YXS" or axes="ZYX"'
        )
    return guess_axes(shape, name)


def label_axes(
    shape: Sequence[int], letters: str, name: str
) -> tuple[tuple[int, ...], str, list[str]]:
    """Name the axes that have no name in the file.

    An axis of length one is dropped if its letter is unknown or stands twice. A single
    unnamed axis is Z if the file names no Z, otherwise T; more than one is an error.

    Parameters
    ----------
    shape : sequence of int
        Sizes, in the order of `letters`.
    letters : str
        One letter an axis, as tifffile gives them; Q and I stand for "unnamed".
    name : str
        What to call the image in messages.

    Returns
    -------
    shape, axes, notes : tuple of int, str, list of str
        Sizes and letters of TCZYXS that are left, and what was guessed, in words.

    Raises
    ------
    AxesError
        If axes stay unnamed, or have letters that a restoration has no use for.
    """
    # tifffile repeats a letter where an image has no more than one voxel along it.
    kept = [
        (n, a)
        for i, (n, a) in enumerate(zip(shape, letters, strict=True))
        if n != 1 or (a in KNOWN_AXES and a not in letters[i + 1 :])
    ]
    axes = "".join(a for _, a in kept)
    sizes = tuple(n for n, _ in kept)
    foreign = set(axes) - set(KNOWN_AXES) - set(UNLABELLED)
    if foreign:
        raise AxesError(
            f"{name}: found the axes {axes} (shape {sizes}); {sorted(foreign)} are not "
            f"among {KNOWN_AXES}. Save one position, angle or lifetime bin at a time"
        )
    unnamed = [a for a in axes if a in UNLABELLED]
    if not unnamed:
        return sizes, axes, []
    if len(unnamed) > 1:
        raise AxesError(
            f"{name}: {len(unnamed)} axes have no names (shape {sizes}, {axes}); "
            'say which is which, for example axes="TZYX"'
        )
    letter = "T" if "Z" in axes else "Z"
    note = taken_as(sizes[axes.index(unnamed[0])], letter)
    return sizes, axes.replace(unnamed[0], letter), [note]


def taken_as(size: int, letter: str) -> str:
    """Say what an axis without a name was taken for."""
    return (
        f"the axis of length {size} has no name in the file and was taken as {letter}"
    )


def known(voxel_size: VoxelSize, dims: int) -> tuple[float, float, float] | None:
    """Return the voxel size if every relevant axis has one."""
    z, y, x = voxel_size
    if y is None or x is None or (dims == 3 and z is None):
        return None
    return (FOCAL_DEPTH if z is None else z, y, x)
