"""Saving an image: the suffix decides the format."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from napari_blurgan.axes import ArrayLike
from napari_blurgan.checks import as_path, refuse_existing
from napari_blurgan.errors import AxesError, DataError
from napari_blurgan.writing.atomic import replacing_folder
from napari_blurgan.writing.facts import Facts

__all__ = ["save"]

CHUNK = 128


def save(
    path: str | os.PathLike[str],
    data: ArrayLike,
    axes: str,
    *,
    overwrite: bool = False,
    **facts: Unpack[Facts],
) -> None:
    """Write an image, completely or not at all.

    The writers are imported here: zarr and tifffile take a while, and are imported only
    when needed.

    Parameters
    ----------
    path : path-like
        Ends in ``.ome.tif``, ``.zarr``, or in ``.tif`` for a hyperstack of ImageJ.
    data, axes
        Pixels, and a letter of TCZYXS for each of their axes.
    overwrite : bool
        Whether what is there may be replaced.
    **facts
        What is known of them.

    Raises
    ------
    DataError
        If it cannot be written, or there is something at `path` and `overwrite` is
        false.
    """
    suffix = as_path(path).suffix.lower()
    if suffix not in (".tif", ".tiff", ".zarr"):
        raise DataError(f"{path}: cannot be written; expected .ome.tif, .tif or .zarr")
    refuse_existing(path, overwrite)
    if suffix == ".zarr":
        _write_zarr(Path(path), data, axes, facts)
        return
    from napari_blurgan.writing.ome_tiff import write_tiff

    facts.pop("translation", None)
    write_tiff(path, data, axes, **facts)


def _write_zarr(path: Path, data: ArrayLike, axes: str, facts: Facts) -> None:
    """Write an OME-Zarr, which is given its name when it is complete."""
    letters = axes.replace("S", "C")
    if len(set(letters)) < len(letters):
        raise AxesError(f"an OME-Zarr has one axis of channels, found {axes}")
    with replacing_folder(path) as part:
        _fill_zarr(part, data, letters, facts)


def _fill_zarr(part: Path, data: ArrayLike, letters: str, facts: Facts) -> None:
    """Write every level, a time point and channel at a time."""
    from napari_blurgan.writing.ome_zarr import ORDER, build_pyramid, create_ome_zarr

    order = [letters.index(a) for a in ORDER if a in letters]
    shape = [data.shape[i] for i in order]
    leading = sum(a not in "ZYX" for a in letters)
    array = create_ome_zarr(
        part,
        shape,
        "".join(letters[i] for i in order),
        np.dtype(data.dtype),
        [1] * leading + [min(n, CHUNK) for n in shape[leading:]],
        **facts,
    )
    for place in np.ndindex(*shape[:leading]):
        array[place] = _frame(data, order, place)
    build_pyramid(part)


def _frame(data: ArrayLike, order: Sequence[int], place: tuple[int, ...]) -> Any:
    """Return (z, y, x) or (y, x) of the time point and channel at `place`."""
    index: list[int | slice] = [slice(None)] * len(order)
    for axis, i in zip(order, place, strict=False):
        index[axis] = i
    pixels = np.asarray(data[tuple(index)])
    left = [axis for axis, i in enumerate(index) if isinstance(i, slice)]
    return pixels.transpose([left.index(axis) for axis in order[len(place) :]])
