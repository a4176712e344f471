"""A model of planes applied to a volume from several directions, and the mean."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import numpy as np

from napari_blurgan.data.sections import isotropic, seen_from, seen_from_above
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.reading.images import read_stack
from napari_blurgan.restoration.events import Event, Finished
from napari_blurgan.restoration.predict import ApplyOptions, apply
from napari_blurgan.restoration.rounding import Rounding, result_dtype
from napari_blurgan.tiling.operator import Operator
from napari_blurgan.writing.ome_tiff import write_tiff

__all__ = ["apply_sections"]

PathLike = str | os.PathLike[str]


def apply_sections(
    operators: Sequence[Operator],
    stack: Stack,
    out: PathLike | None,
    views: Sequence[str],
    **options: Unpack[ApplyOptions],
) -> Generator[Event, None, None]:
    """Restore a volume with cubic voxels with a model of planes, view by view.

    Parameters
    ----------
    operators : sequence of Operator
        Of planes.
    stack : Stack
        A volume whose voxel size is known; held in memory.
    out : path-like, optional
        ``.ome.tif``; the result stays in memory without.
    views : sequence of str
        Of ``"xy"``, ``"xz"`` and ``"yz"``; the mean of their results is taken.
    **options
        Of `apply`.

    Raises
    ------
    DataError
        If the size of a voxel is unknown, or `out` is something else.
    """
    if out is not None and Path(out).suffix.lower() not in (".tif", ".tiff"):
        raise DataError(f"{out}: averages over several views are written as .ome.tif")
    dtype = options.get("dtype")
    options["dtype"] = None  # rounded once, at the end
    rounding = Rounding(result_dtype(dtype, stack.data.dtype))
    cube = isotropic(stack)
    total: Stack | None = None
    for view in views:
        for event in apply(operators, seen_from(cube, view), **options):
            if isinstance(event, Finished):
                total = _added(total, event.result, view)
            else:
                yield event
    assert total is not None  # a recipe has at least one view
    mean = rounding((np.asarray(total.data) / len(views)).astype(np.float32))
    result = replace(total, data=mean, voxel_size=cube.voxel_size)
    yield Finished(_kept(result, out), rounding.below, rounding.above)


def _added(total: Stack | None, found: Stack, view: str) -> Stack:
    above = replace(found, axes=seen_from_above(found.axes, view))
    if total is None:
        return above
    return replace(total, data=np.asarray(total.data) + np.asarray(found.data))


def _kept(result: Stack, out: PathLike | None) -> Stack:
    if out is None:
        return result
    write_tiff(
        out,
        result.data,
        result.axes,
        voxel_size=result.voxel_size,
        channel_names=result.channel_names,
        provenance=result.metadata.get("provenance"),
    )
    return read_stack(out)
