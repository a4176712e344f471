"""Tiles over a local dask cluster, one of whose two workers is killed half-way."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from distributed import LocalCluster

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.reading.images import read_stack
from napari_blurgan.restoration.cluster import Cluster
from napari_blurgan.restoration.events import Finished, TileDone
from napari_blurgan.restoration.predict import apply
from napari_blurgan.restoration.sinks import MemorySink, OmeZarrSink
from napari_blurgan.writing.ome_tiff import write_ome_tiff
from tests.support.slow_operator import SlowOperator

distributed = pytest.importorskip("distributed")


ROOT = str(Path(__file__).parents[2])


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        env={"PYTHONPATH": ROOT},
    ) as local:
        yield local


def test_a_dead_worker_costs_its_tiles_time_only(tmp_path: Path, cluster: Any) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 1000, (24, 40, 36)).astype("uint16")
    write_ome_tiff(tmp_path / "in.ome.tif", image, "ZYX", (0.3, 0.1, 0.1))
    stack = read_stack(tmp_path / "in.ome.tif")
    options: dict[str, Any] = {"tile": (8, 16, 16), "dtype": "source"}

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    alone = list(
        apply(SlowOperator(), stack, OmeZarrSink(tmp_path / "alone.zarr"), **options)
    )
    torch.set_num_threads(threads)

    killed = None
    for event in apply(
        SlowOperator(),
        stack,
        OmeZarrSink(tmp_path / "cluster.zarr"),
        cluster=Cluster(cluster.scheduler_address, partial(SlowOperator, 0.05)),
        **options,
    ):
        if isinstance(event, TileDone) and event.done == 8 and killed is None:
            killed = next(iter(cluster.workers.values())).pid
            os.kill(killed, signal.SIGKILL)

    assert killed is not None
    assert isinstance(event, Finished)
    assert (event.below, event.above) == (alone[-1].below, alone[-1].above)
    one, other = (read_stack(tmp_path / f"{n}.zarr").data for n in ("alone", "cluster"))
    assert np.array_equal(np.asarray(one), np.asarray(other))
    assert np.asarray(one).any()


def test_what_workers_cannot_see_is_refused(
    tmp_path: Path, cluster: LocalCluster
) -> None:
    spread = Cluster(cluster.scheduler_address, partial(SlowOperator, 0.05))
    image = np.zeros((8, 8, 8), "float32")
    for sink in (MemorySink(), OmeZarrSink(tmp_path / "a.zarr")):
        with pytest.raises(DataError, match="where all workers see them"):
            list(apply(SlowOperator(), Stack(image, "ZYX"), sink, cluster=spread))
    assert list(tmp_path.iterdir()) == []


def test_errors_in_a_worker_come_home(tmp_path: Path, cluster: LocalCluster) -> None:
    image = np.ones((8, 8, 8), "float32")
    image[3, 4, 5] = np.nan
    write_ome_tiff(tmp_path / "in.ome.tif", image, "ZYX")
    spread = Cluster(cluster.scheduler_address, partial(SlowOperator, 0.05))
    with pytest.raises(DataError, match="nan at z = 3, y = 4, x = 5"):
        list(
            apply(
                SlowOperator(),
                read_stack(tmp_path / "in.ome.tif"),
                OmeZarrSink(tmp_path / "a.zarr"),
                cluster=spread,
            )
        )


def test_no_scheduler_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_blurgan.restoration.cluster.CONNECT_SECONDS", 0.2)
    with pytest.raises(DataError, match="no dask scheduler answers"):
        Cluster("tcp://127.0.0.1:9", partial(SlowOperator, 0.05))


def test_another_version_is_said(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # The workers have the version installed; this process pretends to have another.
    monkeypatch.setattr("importlib.metadata.version", lambda name: "99.0")
    with pytest.raises(DataError, match=r"expected 99\.0"):
        Cluster(cluster.scheduler_address, partial(SlowOperator, 0.05))
