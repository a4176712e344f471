"""A `Stack` on disk: the suffix decides in which format."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np

from napari_blurgan.checks import refuse_existing
from napari_blurgan.data.io import write_ome_tiff
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError, DataError

__all__ = ["save_stack"]

CHUNK = 128


def save_stack(
    stack: Stack, path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Write a stack; whole, or not at all. See `Stack.save`."""
    suffix = Path(path).suffix.lower()
    if suffix not in (".tif", ".tiff", ".zarr"):
        raise DataError(f"{path}: cannot be written; expected .ome.tif, .tif or .zarr")
    refuse_existing(path, overwrite)
    if suffix == ".zarr":
        _write_zarr(stack, Path(path))
        return
    write_ome_tiff(
        path,
        stack.data,
        stack.axes,
        stack.voxel_size,
        stack.channel_names,
        stack.metadata.get("provenance"),
    )


def _write_zarr(stack: Stack, path: Path) -> None:
    """Write an OME-Zarr, a time point and channel at a time; it is renamed at the end.

    Zarr is imported here: it takes half a second, and only those who need it pay.
    """
    from napari_blurgan.data.ome_zarr import ORDER, build_pyramid, create_ome_zarr

    letters = stack.axes.replace("S", "C")
    if len(set(letters)) < len(letters):
        raise AxesError(f"an OME-Zarr has one axis of channels, found {stack.axes}")
    order = [letters.index(a) for a in ORDER if a in letters]
    shape = [stack.shape[i] for i in order]
    leading = len(order) - len(stack.spatial_axes)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        array = create_ome_zarr(
            part,
            shape,
            "".join(letters[i] for i in order),
            np.dtype(stack.data.dtype),
            [1] * leading + [min(n, CHUNK) for n in shape[leading:]],
            voxel_size=stack.voxel_size,
            channel_names=stack.channel_names,
            name=stack.name,
            provenance=stack.metadata.get("provenance"),
        )
        for place in np.ndindex(*shape[:leading]):
            array[place] = _frame(stack, order, place)
        build_pyramid(part)
        if path.exists():
            shutil.rmtree(path)
        part.replace(path)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({error.strerror or error})"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _frame(stack: Stack, order: list[int], place: tuple[int, ...]) -> np.ndarray:
    """Return (z, y, x) or (y, x) of the time point and channel at `place`."""
    index: list[int | slice] = [slice(None)] * stack.ndim
    for axis, i in zip(order, place, strict=False):
        index[axis] = i
    pixels = np.asarray(stack.data[tuple(index)])
    left = [axis for axis in range(stack.ndim) if isinstance(index[axis], slice)]
    return pixels.transpose([left.index(axis) for axis in order[len(place) :]])
