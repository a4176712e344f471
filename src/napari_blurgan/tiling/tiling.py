"""Tile geometry: the voxels to read for the voxels to write.

The volume is extended by reflection over `margin` voxels on every side and, where there
is a margin, to a multiple of the stride; the operator sees this extended volume. A tile
writes its *core* and reads a halo around it, which ends at the border of the extended
volume. Tiles start at multiples of the stride, so an operator with a reach no larger
than its halo gives the same voxels tile by tile as in one piece.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Region", "Tile", "Tiling", "aligned"]

Region = tuple[slice, ...]


def aligned(length: int, stride: int) -> int:
    """Return the smallest multiple of `stride` that is at least `length`."""
    return -(-length // stride) * stride


@dataclass(frozen=True)
class Tile:
    """One tile.

    Attributes
    ----------
    core : tuple of slice
        Where the result goes, in voxels of the volume.
    read : tuple of slice
        What to read of the volume.
    gather : tuple of (ndarray or None)
        For each axis, which of the voxels read make the input of the operator, in
        order and with repetitions where the volume is reflected; None for all.
    start : tuple of int
        Where the input begins, in voxels of the volume; negative in the margin.
    shape : tuple of int
        Size of the operator's input.
    """

    core: Region
    read: Region
    gather: tuple[NDArray[np.intp] | None, ...]
    start: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def crop(self) -> Region:
        """Position of the core in the result of the operator."""
        return tuple(
            slice(c.start - s, c.stop - s)
            for c, s in zip(self.core, self.start, strict=True)
        )

    @property
    def core_shape(self) -> tuple[int, ...]:
        """Size of the core."""
        return tuple(c.stop - c.start for c in self.core)

    def take(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the operator's input from the voxels read, (channel, [z,] y, x)."""
        for axis, index in enumerate(self.gather, start=1):
            if index is not None:
                block = block.take(index, axis)
        return np.ascontiguousarray(block)


class Tiling:
    """Covers a volume with tiles.

    Parameters
    ----------
    shape : sequence of int
        Size of the volume, (y, x) or (z, y, x).
    tile : sequence of int
        Largest core; rounded up to the stride, then made smaller where the same
        number of tiles allows it.
    halo : sequence of int
        How far the operator reaches; rounded up to the stride.
    stride : sequence of int
        Multiples of it are where tiles may start.
    margin : sequence of int, optional
        How far the volume is continued by reflection, at most the halo (the
        default); rounded up to the stride. Along an axis with 0 it ends where it ends.

    Raises
    ------
    ValueError
        If the numbers of axes differ or sizes are out of range.
    """

    def __init__(
        self,
        shape: Sequence[int],
        tile: Sequence[int],
        halo: Sequence[int],
        stride: Sequence[int],
        margin: Sequence[int] | None = None,
    ) -> None:
        margin = halo if margin is None else margin
        if len({len(shape), len(tile), len(halo), len(stride), len(margin)}) != 1:
            raise ValueError(
                f"a volume {shape}, tile {tile}, halo {halo}, stride {stride} and "
                f"margin {margin} should have as many numbers as axes"
            )
        if min(*shape, *tile, *stride) < 1 or min(*halo, *margin) < 0:
            raise ValueError(f"sizes must be positive: {shape}, {tile}, {stride}")
        self.shape = tuple(shape)
        self.stride = tuple(stride)
        self.halo = tuple(aligned(h, s) for h, s in zip(halo, stride, strict=True))
        self.margin = tuple(
            min(aligned(m, s), h)
            for m, s, h in zip(margin, stride, self.halo, strict=True)
        )
        self.core = tuple(map(_balanced, self.shape, tile, self.stride))
        self.counts = tuple(
            -(-n // c) for n, c in zip(self.shape, self.core, strict=True)
        )

    def __len__(self) -> int:
        return math.prod(self.counts)

    def __getitem__(self, number: int) -> Tile:
        if not 0 <= number < len(self):
            raise IndexError(f"no tile {number}, there are {len(self)}")
        place = np.unravel_index(number, self.counts)
        return self.at(
            tuple(
                slice(int(i) * c, min((int(i) + 1) * c, n))
                for i, c, n in zip(place, self.core, self.shape, strict=True)
            )
        )

    def __iter__(self) -> Iterator[Tile]:
        return (self[number] for number in range(len(self)))

    def at(self, core: Region) -> Tile:
        """Return the tile that writes `core`, which starts at multiples of stride."""
        axes = [self._axis(axis, c) for axis, c in enumerate(core)]
        return Tile(
            core=core,
            read=tuple(slice(int(p.min()), int(p.max()) + 1) for _, p in axes),
            gather=tuple(_gather(p) for _, p in axes),
            start=tuple(start for start, _ in axes),
            shape=tuple(len(p) for _, p in axes),
        )

    def halves(self, core: Region) -> tuple[Region, Region] | None:
        """Return `core` halved along its longest axis; None if it cannot be halved."""
        sizes = [c.stop - c.start for c in core]
        steps = [-(-n // s) for n, s in zip(sizes, self.stride, strict=True)]
        cuttable = [axis for axis, n in enumerate(steps) if n > 1]
        if not cuttable:
            return None
        axis = max(cuttable, key=lambda a: sizes[a])
        whole = core[axis]
        middle = whole.start + steps[axis] // 2 * self.stride[axis]
        first, second = list(core), list(core)
        first[axis] = slice(whole.start, middle)
        second[axis] = slice(middle, whole.stop)
        return tuple(first), tuple(second)

    def _axis(self, axis: int, core: slice) -> tuple[int, NDArray[np.intp]]:
        """Return the start of the input and the voxels of the volume in it."""
        length, stride = self.shape[axis], self.stride[axis]
        halo, margin = self.halo[axis], self.margin[axis]
        start = max(core.start - halo, -margin)
        # Without a margin nothing is reflected, not even to complete a stride: an
        # estimate takes mirror images for light.
        border = aligned(length, stride) + margin if margin else length
        end = min(aligned(core.stop, stride) + halo, border)
        return start, _reflected(np.arange(start, end), length)


def _balanced(length: int, tile: int, stride: int) -> int:
    """Return the core that wastes least, with as few tiles as `tile` needs."""
    count = -(-length // aligned(tile, stride))
    return aligned(-(-length // count), stride)


def _reflected(positions: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    """Return the voxels seen when reflecting about the first and the last one."""
    if length == 1:
        return np.zeros_like(positions)
    last = length - 1
    return last - np.abs(np.mod(positions, 2 * last) - last)


def _gather(positions: NDArray[np.intp]) -> NDArray[np.intp] | None:
    index = positions - positions.min()
    return None if np.array_equal(index, np.arange(len(index))) else index
