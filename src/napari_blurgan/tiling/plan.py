"""The plan before any work: tiles, memory and bytes on disk."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np
import torch

from napari_blurgan.devices import free_bytes
from napari_blurgan.errors import DataError, OutOfMemoryError
from napari_blurgan.memory import available_memory, in_bytes
from napari_blurgan.tiling.layout import Layout
from napari_blurgan.tiling.memory import bytes_per_voxel
from napari_blurgan.tiling.operator import Operator
from napari_blurgan.tiling.tiling import Tiling

__all__ = ["TilingPlan", "make_plan"]

MEMORY_SHARE = 0.5
"""Share of the free memory that tiles may use."""
LARGEST_TILE = {"cpu": 2**24, "cuda": 2**25}
"""Largest input of a tile in voxels: seconds of work on a CPU, below 2³¹ elements on a
GPU."""
MARGIN = 8
"""Voxels of reflection beyond the volume; more takes time and has no effect."""
WASTE = 3
"""Largest length of halos and core relative to the core. With smaller cores, almost all
computation is for halos."""
MOST_REPETITIONS = 1000
"""Largest number of times that a voxel may be computed; otherwise the work would hardly
end."""
QUICK = 10**8
"""Number of voxels that take no noticeable time, however often they are computed."""
MANY_TILES = 1000
"""Largest number of tiles, each of which takes some time, however small it is."""
MOST_REPETITIONS_OF_MANY = 100
"""Largest number for given tiles; those chosen here are far below, see WASTE."""
IN_FLIGHT = 4
"""Tiles held in memory besides the current one: read in advance, or being written."""


@dataclass(frozen=True)
class TilingPlan:
    """The requirements of a restoration.

    Attributes
    ----------
    tiling : Tiling
        Tiles of one frame.
    frames : int
        Time points times groups of channels.
    batch : int
        Tiles that go through the operator at once.
    device_bytes, ram_bytes, disk_bytes : int
        Estimated peak on the device and in RAM, and the size of the uncompressed
        result.
    """

    tiling: Tiling
    frames: int
    batch: int
    device_bytes: int
    ram_bytes: int
    disk_bytes: int

    @property
    def tiles(self) -> int:
        """Number of tiles in all frames."""
        return len(self.tiling) * self.frames

    def __str__(self) -> str:
        return (
            f"{self.tiles} tile{'s'[: self.tiles != 1]} of {_size(self.tiling.core)} "
            f"voxels with a halo of {_size(self.tiling.halo)}, about "
            f"{in_bytes(self.device_bytes)} on the device, "
            f"{in_bytes(self.ram_bytes)} of RAM, {in_bytes(self.disk_bytes)} of "
            "result"
        )


def make_plan(
    layout: Layout,
    operator: Operator,
    dtype: np.dtype[Any],
    *,
    tile: Sequence[int] | None = None,
    margin: Sequence[int] | None = None,
    keep: bool = True,
    free: int | None = None,
    memory: int | None = None,
) -> TilingPlan:
    """Return the plan for restoring a source.

    Parameters
    ----------
    layout : Layout
        Frames and shapes.
    operator : Operator
        Asked once, with a small image of zeros, for the memory it takes.
    dtype : dtype
        Of the result.
    tile : sequence of int, optional
        Largest core; chosen from the free memory by default.
    margin : sequence of int, optional
        Voxels of reflection beyond the volume; by default `MARGIN` at most, and none
        for an operator that estimates what lies beyond by itself.
    keep : bool
        Whether the result stays in RAM.
    free : int, optional
        Bytes to be had; what is free on the device by default.
    memory : int, optional
        Bytes of them that tiles may take; half by default.

    Raises
    ------
    DataError
        If `tile` is not a positive size for each axis.
    OutOfMemoryError
        If the result is to stay in RAM and does not fit, or no tile does that is worth
        its halo.
    """
    shape = layout.spatial_shape
    channels = len(layout.groups[0]), layout.per_group
    voxel_bytes = bytes_per_voxel(operator, channels[0])
    free = free_bytes(operator.device) if free is None else free
    share = int(MEMORY_SHARE * free if memory is None else min(memory, free))
    if margin is None:
        most = MARGIN if getattr(operator, "reflected", True) else 0
        margin = [min(h, most) for h in operator.halo]
    if tile is None:
        tile = _affordable(operator, shape, margin, share, voxel_bytes)
    _check_tile(tile, shape)
    tiling = Tiling(shape, tile, operator.halo, operator.stride, margin)
    check_repetition(tiling)
    voxels = math.prod(tiling[len(tiling) // 2].shape)
    disk = math.prod(layout.shape) * dtype.itemsize
    buffers = IN_FLIGHT * 4 * sum(channels) * voxels
    if keep:
        _check_ram(disk)
    return TilingPlan(
        tiling=tiling,
        frames=len(layout.frames),
        batch=_batch(tiling, int(share / voxel_bytes), operator.device),
        device_bytes=int(voxel_bytes * voxels),
        ram_bytes=buffers + (disk if keep else 0),
        disk_bytes=disk,
    )


def _affordable(
    operator: Operator,
    shape: Sequence[int],
    margin: Sequence[int],
    share: int,
    voxel_bytes: float,
) -> tuple[int, ...]:
    """Return the largest core whose input takes at most `share` bytes."""
    limit = LARGEST_TILE.get(operator.device.type, 2**24)
    budget = int(share / voxel_bytes)
    for tiling in _cuts(shape, operator, margin):
        if _voxels(tiling) <= min(budget, limit):
            break
    if budget < limit and not _worthwhile(tiling):
        worth = takewhile(_worthwhile, _cuts(shape, operator, margin))
        need = voxel_bytes * min(limit, *map(_voxels, worth))
        raise OutOfMemoryError(
            f"tiles may take {in_bytes(share)} of memory (half of what is free, or "
            f"the limit that was set): with halos of {_size(tiling.halo)} voxels, each "
            f"voxel would be computed {_repetition(tiling):.0f} times; allow at least "
            f"{math.ceil(need / 1e7) / 100:.2f} GB, have twice that free, or set the "
            "size of the tiles"
        )
    return tiling.core


def _cuts(
    shape: Sequence[int], operator: Operator, margin: Sequence[int]
) -> Iterator[Tiling]:
    """Yield ever smaller tiles, from the whole image to those of one stride.

    The longest axis is halved repeatedly, so that thin stacks keep all planes.
    """
    counts = [1] * len(shape)
    while True:
        core = [-(-n // count) for n, count in zip(shape, counts, strict=True)]
        yield Tiling(shape, core, operator.halo, operator.stride, margin)
        cuttable = [a for a, s in enumerate(operator.stride) if core[a] > s]
        if not cuttable:
            return
        counts[max(cuttable, key=core.__getitem__)] += 1


def _voxels(tiling: Tiling) -> int:
    """Return the size of the largest input."""
    return max(math.prod(tiling[i].shape) for i in (0, len(tiling) // 2))


def _repetition(tiling: Tiling) -> float:
    """Return how many times each voxel is computed, mostly in halos."""
    whole = tiling.at(tuple(slice(0, n) for n in tiling.shape))
    return len(tiling) * _voxels(tiling) / math.prod(whole.shape)


def _worthwhile(tiling: Tiling) -> bool:
    return _repetition(tiling) <= WASTE ** len(tiling.shape)


def _batch(tiling: Tiling, voxels: int, device: torch.device) -> int:
    """Return how many tiles to compute together: on a GPU, several small ones."""
    if device.type != "cuda":
        return 1
    limit = min(voxels, LARGEST_TILE["cuda"]) // 4
    return int(min(16, max(1, limit // math.prod(tiling[0].shape))))


def _check_tile(tile: Sequence[int], shape: Sequence[int]) -> None:
    if len(tile) != len(shape) or min(tile) < 1:
        raise DataError(
            f"a tile of {tuple(tile)} does not fit a volume of {tuple(shape)}; "
            "expected one positive size for each axis"
        )


def check_repetition(tiling: Tiling) -> None:
    """Refuse tiles that consist almost only of halos, because the work would not end.

    Raises
    ------
    DataError
        With how many times each voxel would be computed.
    """
    times = _repetition(tiling)
    many = len(tiling) > MANY_TILES
    most = MOST_REPETITIONS_OF_MANY if many else MOST_REPETITIONS
    if times > most and (many or len(tiling) * _voxels(tiling) > QUICK):
        raise DataError(
            f"in tiles of {_size(tiling.core)} voxels with halos of "
            f"{_size(tiling.halo)} each voxel would be computed {times:.0f} times, at "
            f"most {most} are allowed: take larger tiles"
        )


def _check_ram(needed: int) -> None:
    available = available_memory()
    if needed > available:
        raise OutOfMemoryError(
            f"the result takes {in_bytes(needed)}, {in_bytes(available)} of RAM "
            "are free; write it to a .zarr instead"
        )


def _size(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))
