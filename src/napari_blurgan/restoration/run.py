"""Read, compute and write at the same time, tile by tile."""

from __future__ import annotations

import itertools
import time as clock
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_blurgan.errors import OutOfMemoryError
from napari_blurgan.interruption import inherited
from napari_blurgan.restoration.events import Shrunk, TileDone
from napari_blurgan.restoration.prefetch import prefetched
from napari_blurgan.restoration.rounding import Rounding
from napari_blurgan.restoration.sinks import Sink
from napari_blurgan.tiling.blending import Blend
from napari_blurgan.tiling.layout import Frame, Layout
from napari_blurgan.tiling.operator import Operator
from napari_blurgan.tiling.plan import TilingPlan
from napari_blurgan.tiling.tile_runner import TileRunner, read_tile
from napari_blurgan.tiling.tiling import Tile, Tiling

__all__ = ["Countdown", "Piece", "Run", "piece"]


@dataclass(frozen=True)
class Piece:
    """One tile of one frame, numbered through all frames."""

    number: int
    frame: Frame
    tile: Tile


Computed = tuple[Piece, NDArray[np.float32]]


def piece(layout: Layout, tiling: Tiling, number: int) -> Piece:
    """Return a tile by its number: frame by frame, in the order of the tiling."""
    frame, tile = divmod(number, len(tiling))
    return Piece(number, layout.frames[frame], tiling[tile])


@dataclass(frozen=True)
class Run:
    """Shared by reading, computing and writing."""

    layout: Layout
    plan: TilingPlan
    rounding: Rounding
    sink: Sink

    def tiled(
        self, operators: Sequence[Operator], done: set[int]
    ) -> Iterator[TileDone | Shrunk]:
        """Compute and write the remaining tiles."""
        runner = TileRunner(operators, self.plan.tiling)

        def read(work: Piece) -> tuple[Piece, Tensor]:
            """Return a tile with its input, ready to be sent to the device."""
            block = read_tile(self.layout.source, work.frame, work.tile)
            return work, runner.tensor(block)

        def compute(batch: list[tuple[Piece, Tensor]]) -> list[Computed]:
            """Return the cores of a batch of inputs."""
            tiles = [work.tile for work, _ in batch]
            blocks = runner(tiles, [image for _, image in batch])
            return [(w, block) for (w, _), block in zip(batch, blocks, strict=True)]

        numbers = (n for n in range(self.plan.tiles) if n not in done)
        todo = (piece(self.layout, self.plan.tiling, number) for number in numbers)
        eta = Countdown(len(done), self.plan.tiles)
        limit = runner.limit
        with _threads(1) as readers, _threads(len(operators)) as workers:
            inputs = prefetched(readers, read, todo, 1)
            batches = _batches(inputs, self.plan.batch)
            computed = prefetched(workers, compute, batches, len(operators))
            for _ in self._written(itertools.chain.from_iterable(computed)):
                if runner.limit and runner.limit != limit:
                    limit = runner.limit
                    yield Shrunk(limit)
                yield eta.tick()

    def blended(
        self, operators: Sequence[Operator], done: set[int]
    ) -> Iterator[TileDone | Shrunk]:
        """Compute and write the remaining frames, with blended seams."""
        tiling = self.plan.tiling
        frames = self.layout.frames
        eta = Countdown(len(done) * len(tiling), self.plan.tiles)
        for number, frame in enumerate(frames):
            block = None
            while number not in done and block is None:
                try:
                    block = yield from self._blend(operators, tiling, frame, eta)
                except OutOfMemoryError:
                    tiling = _halved(tiling)
                    eta = Countdown(number * len(tiling), len(frames) * len(tiling))
                    yield Shrunk(tiling.core)
            if block is not None:
                whole = tiling.at(tuple(slice(0, n) for n in tiling.shape))
                self._write((Piece(number, frame, whole), block))

    def _blend(
        self,
        operators: Sequence[Operator],
        tiling: Tiling,
        frame: Frame,
        eta: Countdown,
    ) -> Generator[TileDone, None, NDArray[np.float32]]:
        runner = TileRunner(operators, tiling)
        blend = Blend(tiling, self.layout.per_group)

        def compute(tile: Tile) -> tuple[Tile, NDArray[np.float32]]:
            """Return a tile and the output of the network, also beyond its core."""
            image = runner.tensor(read_tile(self.layout.source, frame, tile))
            return tile, runner.whole(tile, blend.widened(tile), image)

        with _threads(len(operators)) as workers:
            for tile, block in prefetched(workers, compute, tiling, len(operators)):
                blend.add(tile, block)
                yield eta.tick()
        return blend.frame

    def _written(self, computed: Iterable[Computed]) -> Iterator[int]:
        with _threads(1) as writers:
            yield from prefetched(writers, self._write, computed, 1)

    def _write(self, computed: Computed) -> int:
        work, block = computed
        region, arranged = self.layout.place(work.frame, work.tile, block)
        self.sink.write(work.number, region, self.rounding(arranged))
        return work.number


class Countdown:
    """Counts tiles and estimates the remaining time from those of this run.

    The first one also warms up the device: it is ignored as soon as there are more.
    """

    def __init__(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self._times = [clock.perf_counter()]

    def tick(self) -> TileDone:
        """Count a tile."""
        self.done += 1
        self._times.append(clock.perf_counter())
        times = self._times[1:] if len(self._times) > 2 else self._times
        each = (times[-1] - times[0]) / (len(times) - 1)
        return TileDone(self.done, self.total, each * (self.total - self.done))


@contextmanager
def _threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Yield threads that stop in the middle of their work when the context is left."""
    left = Event()
    executor = ThreadPoolExecutor(
        count, thread_name_prefix="restore", initializer=inherited(left.is_set)
    )
    try:
        yield executor
    finally:
        left.set()
        executor.shutdown(cancel_futures=True)


def _batches(
    inputs: Iterable[tuple[Piece, Tensor]], size: int
) -> Iterator[list[tuple[Piece, Tensor]]]:
    """Yield runs of at most `size` inputs that agree in shape and core position."""
    batch: list[tuple[Piece, Tensor]] = []
    for item in inputs:
        if batch and (len(batch) == size or not _agree(batch[0], item)):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def _agree(one: tuple[Piece, Tensor], other: tuple[Piece, Tensor]) -> bool:
    same_place = one[0].tile.crop == other[0].tile.crop
    return same_place and one[1].shape == other[1].shape


def _halved(tiling: Tiling) -> Tiling:
    """Return a tiling with half the core, or raise if it cannot be halved."""
    axis = max(range(len(tiling.core)), key=tiling.core.__getitem__)
    core = list(tiling.core)
    core[axis] = (core[axis] + 1) // 2
    smaller = Tiling(tiling.shape, core, tiling.halo, tiling.stride, tiling.margin)
    if smaller.core == tiling.core:
        raise OutOfMemoryError(
            f"out of memory for tiles of {tiling.core} voxels with a halo of "
            f"{tiling.halo}, and they cannot be smaller"
        )
    return smaller
