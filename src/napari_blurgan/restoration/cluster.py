"""Tiles on a dask cluster: workers read the image and write the zarr themselves.

Each worker opens the image, the model and the result from their paths, which all
workers must be able to see. The scheduler distributes tile numbers; if a worker dies,
others compute its tiles.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_blurgan.errors import DataError, OutOfMemoryError
from napari_blurgan.restoration.events import TileDone
from napari_blurgan.restoration.rounding import Rounding
from napari_blurgan.restoration.run import Countdown, Run, piece
from napari_blurgan.restoration.sinks import OmeZarrSink
from napari_blurgan.tiling.layout import Layout
from napari_blurgan.tiling.operator import Operator
from napari_blurgan.tiling.tile_runner import TileRunner, read_tile
from napari_blurgan.tiling.tiling import Tiling
from napari_blurgan.writing.ome_zarr import open_level

__all__ = ["Cluster"]

CONNECT_SECONDS = 30
ATTEMPTS = 3
"""Retries of a tile after an error that is not ours."""


class Cluster:
    """A dask cluster that computes tiles.

    Parameters
    ----------
    address : str
        Of the scheduler, as ``tcp://host:8786``.
    make_operator : callable
        Makes the operator in a worker; sent there, so it should be small.

    Raises
    ------
    DataError
        If dask is not installed, no scheduler or worker answers, or the workers have
        another version of this package, or none.
    """

    def __init__(self, address: str, make_operator: Callable[[], Operator]) -> None:
        self.address = address
        self.make_operator = make_operator
        with self._client() as client:
            self.free_bytes = _smallest_worker(client, address)
            _check_versions(client, address)

    def tiled(self, run: Run, done: set[int]) -> Iterator[TileDone]:
        """Compute the remaining tiles; the sink records each.

        Raises
        ------
        DataError
            If the image or the result are not files.
        OutOfMemoryError
            If the same tile has cost several workers their lives.
        """
        from distributed import KilledWorker, as_completed

        sink, layout = run.sink, run.layout
        if not isinstance(sink, OmeZarrSink) or isinstance(
            layout.source.data, np.ndarray
        ):
            raise DataError(
                "on a cluster, the image must be a file and the result a .zarr, "
                "where all workers see them"
            )
        job = _Job(
            uuid.uuid4().hex,
            self.make_operator,
            layout,
            run.plan.tiling,
            run.rounding.dtype,
            sink.part.absolute(),
            sink.order,
        )
        eta = Countdown(len(done), run.plan.tiles)
        todo = [n for n in range(run.plan.tiles) if n not in done]
        with self._client() as client:
            futures = client.map(
                _compute, [job] * len(todo), todo, pure=False, retries=ATTEMPTS
            )
            try:
                for future in as_completed(futures, loop=client.loop):
                    number, below, above = future.result()
                    sink.record(number)
                    run.rounding.below += below
                    run.rounding.above += above
                    yield eta.tick()
            except KilledWorker as error:
                raise OutOfMemoryError(
                    "workers repeatedly died on the same tile, probably for "
                    "lack of memory; choose smaller tiles"
                ) from error

    @contextmanager
    def _client(self) -> Iterator[Any]:
        try:
            from distributed import Client
        except ImportError:
            raise DataError(
                'a cluster needs dask: pip install "napari-blurgan[cluster]"'
            ) from None
        try:
            client = Client(self.address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise DataError(
                f"no dask scheduler answers at {self.address} ({error})"
            ) from error
        with client:
            yield client


def _smallest_worker(client: Any, address: str) -> int:
    """Return the memory per thread of the smallest worker."""
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except TimeoutError:
        raise DataError(f"the dask scheduler at {address} has no workers") from None
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return min(int(w["memory_limit"]) // int(w["nthreads"]) for w in workers)


def _check_versions(client: Any, address: str) -> None:
    """Raise unless all workers have the version of this process."""

    # A nested function is sent by value: workers need none of our code for it.
    def installed() -> str:
        """Return the version of this package where it is called, or "none"."""
        from importlib import metadata

        try:
            return metadata.version("napari-blurgan")
        except metadata.PackageNotFoundError:
            return "none"

    ours = installed()
    others = set(client.run(installed).values()) - {ours}
    if others:
        raise DataError(
            f"workers at {address} have napari-blurgan {', '.join(sorted(others))}, "
            f"expected {ours}; install the same version everywhere"
        )


@dataclass(frozen=True)
class _Job:
    """What a worker has to know; the same for all tiles."""

    key: str
    make_operator: Callable[[], Operator]
    layout: Layout
    tiling: Tiling
    dtype: np.dtype[Any]
    path: Path
    order: Sequence[int]


_runners: dict[str, TileRunner] = {}
"""The runner of the latest job, kept for reuse in each worker."""


def _compute(job: _Job, number: int) -> tuple[int, int, int]:
    """Compute and write one tile; return its number and the clipped voxels."""
    runner = _runner_of(job)
    work = piece(job.layout, job.tiling, number)
    image = runner.tensor(read_tile(job.layout.source, work.frame, work.tile))
    (block,) = runner([work.tile], [image])
    rounding = Rounding(job.dtype)
    region, arranged = job.layout.place(work.frame, work.tile, block)
    array = open_level(job.path)
    array[tuple(region[i] for i in job.order)] = rounding(arranged).transpose(job.order)
    return number, rounding.below, rounding.above


def _runner_of(job: _Job) -> TileRunner:
    if job.key not in _runners:
        _runners.clear()
        _runners[job.key] = TileRunner([job.make_operator()], job.tiling)
    return _runners[job.key]
