"""`as_stack`: any kind of image as a `Stack`; results are returned in kind."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.axes import KNOWN_AXES, guess_axes, name_axes
from napari_blurgan.checks import checked_voxels, whole
from napari_blurgan.data.layers import is_layer, to_stack
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError, DataError

__all__ = ["ImageLike", "as_stack", "as_stacks", "in_kind"]

ImageLike = Any
"""A `Stack`, a path, an array (numpy, dask, zarr, torch) or a layer of napari."""

REAL = "buif"
"""Kinds of dtype that pixels can have: booleans, integers and floats."""


def as_stack(
    source: ImageLike,
    *,
    axes: str | None = None,
    voxel_size: Sequence[float | None] | None = None,
    channel_axis: int | None = None,
) -> Stack:
    """Return an image of any kind as a `Stack`; lazy images are not read.

    Parameters
    ----------
    source : Stack, path-like, array-like or layer
        A `Stack`; a file; an array of numpy, dask, zarr, torch or what resembles them;
        or an image layer of napari.
    axes : str, optional
        One letter of TCZYXS for each axis, in either case; overrules what the source
        says. An array without is (y, x) or (z, y, x).
    voxel_size : sequence of (float or None), optional
        (z, y, x) or (y, x) in micrometres; overrules what the source says.
    channel_axis : int, optional
        Which axis of an array holds the channels; the others are (z, y, x) or (y, x).

    Raises
    ------
    AxesError
        If the axes are not known, or do not fit.
    DataError
        If it holds no image: no array, no numbers, no pixels, no such file.
    """
    if not isinstance(axes, str | None):
        raise AxesError(f"axes are letters of {KNOWN_AXES}, found {axes!r}")
    if channel_axis is not None:
        channel_axis = whole("channel_axis", channel_axis, -9, 9, error=AxesError)
    stack = _converted(source, axes, channel_axis)
    if axes is not None and stack.axes != axes.upper():
        stack = replace(stack, axes=axes)
    sizes = checked_voxels(stack.voxel_size if voxel_size is None else voxel_size)
    _check_pixels(stack)
    return replace(stack, voxel_size=sizes)


def as_stacks(sources: ImageLike | Sequence[ImageLike], **how: Any) -> list[Stack]:
    """Return one image, or a list or tuple of them, as Stacks.

    Parameters
    ----------
    sources : image or sequence of images
        Of any kind that `as_stack` takes.
    **how
        Options of `as_stack`, for all of them.

    Raises
    ------
    BlurGANError
        As `as_stack`, or if there is none.
    """
    several = isinstance(sources, list | tuple)
    stacks = [as_stack(source, **how) for source in (sources if several else [sources])]
    if not stacks:
        raise DataError("there are no images")
    return stacks


def in_kind(source: ImageLike, result: Stack) -> Any:
    """Return a result in the kind of its source.

    An array for an array (numpy, dask, zarr or torch), a `Stack` for anything else.
    """
    if isinstance(source, Stack | str | os.PathLike) or is_layer(source):
        return result
    pixels = np.asarray(result.data)
    package = type(source).__module__.partition(".")[0]
    make = BACK.get(package)
    return make(sys.modules[package], pixels) if make else pixels


BACK: dict[str, Callable[[Any, NDArray[Any]], Any]] = {
    "torch": lambda torch, pixels: torch.from_numpy(pixels),
    "dask": lambda dask, pixels: dask.array.from_array(pixels),
    "zarr": lambda zarr, pixels: zarr.array(pixels),
}
"""How to make an array of another package, from it and a numpy array."""


def _converted(source: ImageLike, axes: str | None, channel_axis: int | None) -> Stack:
    if channel_axis is None:
        if isinstance(source, Stack):
            return source
        if isinstance(source, str | os.PathLike):
            from napari_blurgan.reading.images import read_stack

            return read_stack(source, axes=axes)
        if is_layer(source):
            return to_stack(source, axes)
    elif axes or is_layer(source) or isinstance(source, Stack | str | os.PathLike):
        raise AxesError(
            "channel_axis is for arrays without axes: name all axes instead, for "
            'example axes="CZYX"'
        )
    pixels = _pixels(source)
    return Stack(pixels, axes or _axes_of(tuple(pixels.shape), channel_axis))


def _pixels(source: Any) -> Any:
    """Return an array that numpy can index and read."""
    if hasattr(source, "detach"):  # a torch tensor, on any device
        tensor = source.detach().cpu()
        return (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    if isinstance(source, np.ma.MaskedArray):
        if np.ma.is_masked(source):
            raise DataError("some voxels are masked; fill them first (.filled())")
        return source.data
    if isinstance(source, list | tuple):
        try:
            rows = np.asarray(source)
        except ValueError:
            rows = np.empty(0, object)
        if rows.dtype == object:
            raise DataError(
                "found a list of images, or rows that differ in length; expected one "
                "image"
            )
        return rows
    if all(hasattr(source, name) for name in ("shape", "dtype", "__getitem__")):
        return source
    raise DataError(
        f"found {_named(source)}; expected a Stack, a path, an array or an image layer"
    )


def _named(thing: object) -> str:
    kind = type(thing)
    return "None" if thing is None else f"a {kind.__module__}.{kind.__qualname__}"


def _axes_of(shape: tuple[int, ...], channel_axis: int | None) -> str:
    if channel_axis is None:
        return name_axes(shape)
    if not -len(shape) <= channel_axis < len(shape):
        raise AxesError(
            f"there is no axis {channel_axis} for the channels in shape {shape}"
        )
    at = channel_axis % len(shape)
    rest = guess_axes(shape[:at] + shape[at + 1 :])
    return f"{rest[:at]}C{rest[at:]}"


def _check_pixels(stack: Stack) -> None:
    dtype = np.dtype(stack.data.dtype)
    if dtype.kind not in REAL:
        raise DataError(f"{stack.name}: pixels are real numbers, found {dtype}")
    if 0 in stack.data.shape:
        raise DataError(
            f"{stack.name}: is empty, its shape is {tuple(stack.data.shape)}"
        )
