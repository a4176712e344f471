"""A disk that is full, and a second writer: an error, nothing half-written."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import BlurGANError, DataError
from napari_blurgan.models.checkpoint import write_state
from napari_blurgan.optics.psf import Psf
from napari_blurgan.reading.images import read_stack
from napari_blurgan.restoration.events import Finished, Planned, TileDone
from napari_blurgan.restoration.predict import apply
from napari_blurgan.restoration.sinks import make_sink
from napari_blurgan.writing.lock import Lock

VOXEL = (0.3, 0.1, 0.1)
RNG = np.random.default_rng(0)
IMAGE = RNG.random((16, 64, 64)).astype(np.float32)  # 256 KiB that do not compress
FULL = 5 * 2**12
"""Bytes that are left free: headers and a chunk fit, an image does not."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.name != "posix" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("disks are mounted by root, and on Linux")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path, left: int) -> None:
    """Leave so many bytes free."""
    with (place / "filler").open("ab") as file:
        file.write(bytes(max(shutil.disk_usage(place).free - left, 0)))


def names(place: Path) -> list[str]:
    return sorted(p.name for p in place.iterdir() if p.name != "filler")


class Same:
    """Changes nothing."""

    device = torch.device("cpu")
    halo, stride = (0, 0, 0), (1, 1, 1)

    def channels_out(self, channels_in: int) -> int:
        return channels_in

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        return image


STACK = Stack(IMAGE, "ZYX", VOXEL)
STATE = {"a": torch.from_numpy(IMAGE)}
WRITES: dict[str, Callable[[Path], object]] = {
    "a.ome.tif": STACK.save,
    "a.zarr": STACK.save,
    "psf.ome.tif": Psf(IMAGE[:15], VOXEL).save,
    "state.safetensors": lambda path: write_state(path, STATE),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_full_disk_is_said_and_nothing_is_left(disk: Path, name: str) -> None:
    fill(disk, FULL)
    with pytest.raises(BlurGANError, match="cannot be written") as caught:
        WRITES[name](disk / name)
    assert "\n" not in str(caught.value)
    assert names(disk) == []


@pytest.mark.parametrize("name", ["a.ome.tif", "a.zarr"])
def test_a_full_disk_leaves_what_was_there(disk: Path, name: str) -> None:
    older = Stack(np.ones((2, 8, 8), np.float32), "ZYX")
    older.save(disk / name)
    fill(disk, FULL)
    with pytest.raises(DataError, match="cannot be written"):
        STACK.save(disk / name, overwrite=True)
    assert np.array_equal(read_stack(disk / name).data, older.data)
    assert names(disk) == [name]


def test_room_for_a_tiff_is_taken_before_the_work(disk: Path) -> None:
    """Else a mapped page without a place on the disk would end the process."""
    events = apply(Same(), STACK, make_sink(disk / "a.ome.tif"), tile=(4, 32, 32))
    assert isinstance(next(events), Planned)
    assert isinstance(next(events), TileDone)
    fill(disk, 0)
    *_, last = events
    assert isinstance(last, Finished)
    assert np.array_equal(last.result.data, IMAGE)


def test_a_zarr_goes_on_when_there_is_room_again(disk: Path) -> None:
    path = disk / "a.zarr"
    events = apply(Same(), STACK, make_sink(path), tile=(4, 32, 32))
    assert any(isinstance(event, TileDone) for event in events)
    fill(disk, FULL)
    with pytest.raises(DataError, match=r"a\.zarr: cannot be written"):
        list(events)
    assert names(disk) == ["a.zarr.part", "a.zarr.tiles"]
    (disk / "filler").unlink()
    done = list(apply(Same(), STACK, make_sink(path, resume=True)))
    assert sum(isinstance(event, TileDone) for event in done) < 16
    assert np.array_equal(read_stack(path).data, IMAGE)
    assert names(disk) == ["a.zarr"]


@pytest.mark.parametrize("name", ["a.ome.tif", "a.zarr"])
def test_a_result_has_one_writer(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    first = apply(Same(), STACK, make_sink(path), tile=(4, 32, 32))
    assert any(isinstance(event, TileDone) for event in first)
    with pytest.raises(DataError, match="is being written by another"):
        list(apply(Same(), STACK, make_sink(path)))
    *_, last = first
    assert isinstance(last, Finished)
    assert np.array_equal(read_stack(path).data, IMAGE)
    assert names(tmp_path) == [name]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_dead_writer_keeps_no_lock(tmp_path: Path) -> None:
    lock = Lock(tmp_path / ".a.lock", "busy")
    ready, tell = os.pipe()
    child = os.fork()
    if not child:
        lock.acquire()
        os.write(tell, b"!")
        signal.pause()
    os.read(ready, 1)
    with pytest.raises(DataError, match="busy"):
        lock.acquire()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    lock.acquire()
    lock.release()
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "journal",
    ["", "\n", "{", "[]", '{"core": 3}\n1\n', '{"core": [4, 32, 32]}\n1\n2', "\xff"],
)
def test_a_damaged_record_of_tiles_costs_no_more_than_the_tiles(
    tmp_path: Path, journal: str
) -> None:
    path = tmp_path / "a.zarr"
    events = apply(Same(), STACK, make_sink(path), tile=(4, 32, 32))
    assert any(isinstance(event, TileDone) for event in events)
    events.close()
    (tmp_path / "a.zarr.tiles").write_text(journal, encoding="latin1")
    try:
        list(apply(Same(), STACK, make_sink(path, resume=True)))
    except DataError as error:
        assert "was begun with a different" in str(error)
    else:
        assert np.array_equal(read_stack(path).data, IMAGE)


def test_a_line_that_was_cut_off_is_no_tile(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    events = apply(Same(), STACK, make_sink(path), tile=(4, 32, 32))
    ticks = (event for event in events if isinstance(event, TileDone))
    next(ticks)
    events.close()
    with (tmp_path / "a.zarr.tiles").open("a") as file:
        file.write("1")  # the beginning of 10, say
    done = list(apply(Same(), STACK, make_sink(path, resume=True)))
    assert isinstance(done[-1], Finished)
    assert np.array_equal(read_stack(path).data, IMAGE)
