"""`TileRunner`: apply the operator to a tile, in pieces if memory runs out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from queue import SimpleQueue

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_blurgan.data.regions import check_finite, read_region
from napari_blurgan.data.stack import Stack
from napari_blurgan.devices import is_out_of_memory
from napari_blurgan.errors import OutOfMemoryError
from napari_blurgan.tiling.layout import Frame
from napari_blurgan.tiling.operator import Operator, computed
from napari_blurgan.tiling.tiling import Region, Tile, Tiling

__all__ = ["TileRunner", "read_tile"]


def read_tile(source: Stack, frame: Frame, tile: Tile) -> NDArray[np.float32]:
    """Return the input of a tile, (channel, [z,] y, x), extended by reflection.

    Raises
    ------
    DataError
        If it holds NaN or infinite values.
    """
    start = [r.start for r in tile.read]
    shape = [r.stop - r.start for r in tile.read]
    if frame.plane is not None:
        start, shape = [frame.plane, *start], [1, *shape]
    block = read_region(source, frame.time, start, shape, frame.channels)
    with np.errstate(over="ignore"):
        # A copy, so that no operator can change the source.
        values = block.astype(np.float32)
    check_finite(values, source, frame.time, start)
    return tile.take(values if frame.plane is None else values[:, 0])


class TileRunner:
    """Computes tiles; may be called by as many threads as there are operators.

    Parameters
    ----------
    operators : sequence of Operator
        Copies of one operator, each on a device of its own.
    tiling : Tiling
        Where pieces of a tile may start.

    Attributes
    ----------
    limit : tuple of int or None
        Size of the largest piece that still fits the memory, once it ran out.
    """

    def __init__(self, operators: Sequence[Operator], tiling: Tiling) -> None:
        self.tiling = tiling
        self.limit: tuple[int, ...] | None = None
        self.pin = operators[0].device.type == "cuda"
        self._free: SimpleQueue[Operator] = SimpleQueue()
        for operator in operators:
            self._free.put(operator)

    def tensor(self, block: NDArray[np.float32]) -> Tensor:
        """Return a tensor that can be sent to the device while others compute."""
        tensor = torch.from_numpy(block)
        return tensor.pin_memory() if self.pin else tensor

    def __call__(
        self, tiles: Sequence[Tile], inputs: Sequence[Tensor]
    ) -> list[NDArray[np.float32]]:
        """Return the cores (channel, [z,] y, x) of tiles of equal size and position.

        Their inputs have one shape, and their cores the same position in it.

        Raises
        ------
        OutOfMemoryError
            If not even the smallest piece of a tile fits the memory.
        """
        operator = self._free.get()
        try:
            with torch.inference_mode():
                return self._batch(operator, tiles, inputs)
        finally:
            self._free.put(operator)

    def whole(self, tile: Tile, region: Region, image: Tensor) -> NDArray[np.float32]:
        """Return `region`, around the core of one tile, computed in one piece.

        Raises
        ------
        OutOfMemoryError
            If the memory runs out: pieces would not agree with each other.
        """
        operator = self._free.get()
        try:
            with torch.inference_mode():
                crop = tuple(
                    slice(r.start - s, r.stop - s)
                    for r, s in zip(region, tile.start, strict=True)
                )
                return _forward(operator, image[None], crop)[0]
        except (RuntimeError, MemoryError) as error:
            _raise_unless_memory(error)
            raise OutOfMemoryError(
                f"out of memory for a tile of {tile.core_shape} voxels"
            ) from error
        finally:
            self._free.put(operator)

    def _batch(
        self, operator: Operator, tiles: Sequence[Tile], inputs: Sequence[Tensor]
    ) -> list[NDArray[np.float32]]:
        if self.limit is None and len(tiles) > 1:
            try:
                return list(
                    _forward(operator, torch.stack(list(inputs)), tiles[0].crop)
                )
            except (RuntimeError, MemoryError) as error:
                _raise_unless_memory(error)
        return [
            self._piece(operator, tile, image)
            for tile, image in zip(tiles, inputs, strict=True)
        ]

    def _piece(
        self, operator: Operator, tile: Tile, image: Tensor
    ) -> NDArray[np.float32]:
        """Return the core of a tile, or of a piece of one."""
        halves = self.tiling.halves(tile.core)
        if halves is None or not self._too_large(tile):
            try:
                return _forward(operator, image[None], tile.crop)[0]
            except (RuntimeError, MemoryError) as error:
                _raise_unless_memory(error)
                if halves is None:
                    raise self._full(tile) from error
                self._lower_limit(halves)
        axis = next(i for i, (a, b) in enumerate(zip(*halves, strict=True)) if a != b)
        return np.concatenate(
            [self._part(operator, tile, half, image) for half in halves], axis + 1
        )

    def _part(
        self, operator: Operator, tile: Tile, core: Region, image: Tensor
    ) -> NDArray[np.float32]:
        part = self.tiling.at(core)
        window = tuple(
            slice(p - s, p - s + n)
            for p, s, n in zip(part.start, tile.start, part.shape, strict=True)
        )
        return self._piece(operator, part, image[(slice(None), *window)])

    def _too_large(self, tile: Tile) -> bool:
        return self.limit is not None and math.prod(tile.core_shape) > math.prod(
            self.limit
        )

    def _lower_limit(self, halves: tuple[Region, Region]) -> None:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        sizes = [tuple(c.stop - c.start for c in half) for half in halves]
        self.limit = max(sizes, key=math.prod)

    def _full(self, tile: Tile) -> OutOfMemoryError:
        return OutOfMemoryError(
            f"out of memory for a tile of {tile.core_shape} voxels with its halo "
            f"of {self.tiling.halo}, and it cannot be smaller; close other "
            "programs or use another device"
        )


def _forward(operator: Operator, images: Tensor, region: Region) -> NDArray[np.float32]:
    images = images.to(operator.device, non_blocking=True)
    # Contiguous: a view would keep the whole tile until the core is written.
    return computed(operator, images, region).float().cpu().contiguous().numpy()


def _raise_unless_memory(error: BaseException) -> None:
    """Raise `error` again unless it reports that memory ran out."""
    if not is_out_of_memory(error):
        raise error
