"""Writing arrays as OME-Zarr 0.5, with a pyramid.

The metadata follow https://ngff.openmicroscopy.org/0.5/. Axes are in the order t, c, z,
y, x, as the standard requires; RGB samples become channels.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import zarr

from napari_blurgan.axes import VoxelSize
from napari_blurgan.writing.facts import Facts
from napari_blurgan.writing.omero import channels, set_windows

__all__ = ["ORDER", "build_pyramid", "create_ome_zarr", "open_level"]

ORDER = "TCZYX"
PROVENANCE = "napari-blurgan"
SMALLEST_LEVEL = 256
"""The pyramid ends where a plane fits on a screen."""
TYPES = {"T": "time", "C": "channel", "Z": "space", "Y": "space", "X": "space"}


def create_ome_zarr(
    path: Path,
    shape: Sequence[int],
    axes: str,
    dtype: np.dtype[Any],
    chunks: Sequence[int],
    **facts: Unpack[Facts],
) -> zarr.Array[Any]:
    """Create an empty OME-Zarr 0.5 with its pyramid and return the full resolution.

    Parameters
    ----------
    path : Path
        The folder; what is there is deleted.
    shape, axes, dtype, chunks
        Of the full resolution; `axes` in the order of TCZYX.
    **facts
        What is known of the image. Where the size of a voxel is unknown, the scale is
        1 without a unit; the provenance is kept under ``napari-blurgan``.
    """
    voxel_size = facts.get("voxel_size", (None, None, None))
    group = zarr.open_group(path, mode="w", zarr_format=3)
    sizes = dict(zip("ZYX", voxel_size, strict=True))
    place = dict(zip("ZYX", facts.get("translation") or (0.0, 0.0, 0.0), strict=True))
    datasets = []
    for level, factor in enumerate(_factors(shape, axes, voxel_size)):
        group.create_array(
            str(level),
            shape=[-(-n // f) for n, f in zip(shape, factor, strict=True)],
            chunks=tuple(min(c, n) for c, n in zip(chunks, shape, strict=True)),
            dtype=dtype,
            dimension_names=list(axes.lower()),
        )
        moves = _moves(
            factor,
            [sizes.get(a) or 1.0 for a in axes],
            [place.get(a, 0.0) for a in axes],
        )
        datasets.append({"path": str(level), "coordinateTransformations": moves})
    image = {
        "name": facts.get("name", "image"),
        "axes": _axes_metadata(axes, sizes),
        "datasets": datasets,
        "type": "mean",
        "metadata": {"description": "each voxel is the mean of those under it"},
    }
    ome: dict[str, Any] = {"version": "0.5", "multiscales": [image]}
    if channel_names := facts.get("channel_names"):
        ome["omero"] = {"channels": channels(channel_names)}
    group.attrs.update({"ome": ome, PROVENANCE: dict(facts.get("provenance") or {})})
    return open_level(path)


def _moves(
    factor: Sequence[int], size: Sequence[float], place: Sequence[float]
) -> list[dict[str, Any]]:
    """Return the transformation from a level to the full resolution."""
    scale = [f * s for f, s in zip(factor, size, strict=True)]
    # A voxel of a coarser level is at the centre of those that it averages.
    shift = [p + (f - 1) / 2 * s for f, s, p in zip(factor, size, place, strict=True)]
    moves: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
    if any(shift):
        moves.append({"type": "translation", "translation": shift})
    return moves


def _axes_metadata(
    axes: str, sizes: Mapping[str, float | None]
) -> list[dict[str, str]]:
    entries = [{"name": a.lower(), "type": TYPES[a]} for a in axes]
    for letter, entry in zip(axes, entries, strict=True):
        if sizes.get(letter) is not None:
            entry["unit"] = "micrometer"
    return entries


def _factors(
    shape: Sequence[int], axes: str, voxel_size: VoxelSize
) -> list[tuple[int, ...]]:
    """Return the reduction of each level along each axis.

    Y and X are halved until a plane is small; Z is halved with them as long as its
    voxels are not longer than theirs.
    """
    sizes = dict(zip("ZYX", voxel_size, strict=True))
    ratio = (sizes["Z"] or 1.0) / (sizes["Y"] or 1.0)
    levels = [dict.fromkeys(axes, 1)]
    size = dict(zip(axes, shape, strict=True))
    while max(math.ceil(size[a] / levels[-1][a]) for a in "YX") > SMALLEST_LEVEL:
        level = dict(levels[-1])
        if "Z" in axes and ratio * level["Z"] <= level["Y"] and size["Z"] > level["Z"]:
            level["Z"] *= 2
        level["Y"] *= 2
        level["X"] *= 2
        levels.append(level)
    return [tuple(level[a] for a in axes) for level in levels]


def open_level(path: Path, level: str = "0") -> Any:
    """Open a level for writing; chunks of zeros are written, so that all exist."""
    with zarr.config.set({"array.write_empty_chunks": True}):
        return zarr.open_group(path, mode="r+")[level]


def build_pyramid(path: Path) -> None:
    """Fill the coarser levels of an OME-Zarr with means of the finer ones.

    The display window of named channels is the range of the coarsest level. One chunk
    of each level is in memory at a time.
    """
    group = zarr.open_group(path, mode="r+")
    ome: Any = group.attrs["ome"]
    datasets = ome["multiscales"][0]["datasets"]
    levels = [open_level(path, dataset["path"]) for dataset in datasets]
    for fine, coarse in itertools.pairwise(levels):
        for region in _boxes(coarse.shape, coarse.chunks):
            coarse[region] = _reduced(fine, coarse, region)
    set_windows(ome, levels[-1])
    group.attrs["ome"] = ome


def _boxes(shape: Sequence[int], step: Sequence[int]) -> Iterator[tuple[slice, ...]]:
    """Yield the boxes of size `step` that fill a larger one."""
    steps = [range(0, n, s) for n, s in zip(shape, step, strict=True)]
    for corner in itertools.product(*steps):
        yield tuple(
            slice(c, min(c + s, n)) for c, s, n in zip(corner, step, shape, strict=True)
        )


def _reduced(fine: Any, coarse: Any, region: Sequence[slice]) -> Any:
    """Return `region` of the coarser level, read in pieces of a fine chunk."""
    factors = [-(-n // m) for n, m in zip(fine.shape, coarse.shape, strict=True)]
    start = [r.start for r in region]
    out = np.empty([r.stop - r.start for r in region], coarse.dtype)
    piece = [-(-n // f) for n, f in zip(out.shape, factors, strict=True)]
    for box in _boxes(out.shape, piece):
        source = tuple(
            slice((s + b.start) * f, min((s + b.stop) * f, n))
            for s, b, f, n in zip(start, box, factors, fine.shape, strict=True)
        )
        out[box] = _means(np.asarray(fine[source]), factors, coarse.dtype)
    return out


def _means(block: Any, factors: Sequence[int], dtype: np.dtype[Any]) -> Any:
    # An odd end is extended with its last voxel.
    padding = [(0, -n % f) for n, f in zip(block.shape, factors, strict=True)]
    block = np.pad(block.astype(np.float32), padding, mode="edge")
    split = [k for n, f in zip(block.shape, factors, strict=True) for k in (n // f, f)]
    means = block.reshape(split).mean(axis=tuple(range(1, len(split), 2)))
    return (np.rint(means) if dtype.kind in "iu" else means).astype(dtype)
