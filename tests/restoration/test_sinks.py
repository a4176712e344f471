from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.reading.images import read_stack
from napari_blurgan.restoration.events import Finished, TileDone
from napari_blurgan.restoration.predict import apply
from napari_blurgan.restoration.sinks import OmeTiffSink, OmeZarrSink, make_sink
from napari_blurgan.writing.ome_tiff import write_ome_tiff

SIZES = {"T": 2, "C": 3, "Z": 9, "Y": 40, "X": 35, "S": 3}


class Negative:
    """Turns the sign, and counts the tiles that it is asked for."""

    device = torch.device("cpu")
    halo, stride = (1, 1, 1), (2, 2, 2)

    def __init__(self) -> None:
        self.calls = -1  # the probe for the plan does not count

    def channels_out(self, channels_in: int) -> int:
        return channels_in

    def __call__(self, image: torch.Tensor, /) -> torch.Tensor:
        self.calls += 1
        return -image


def source(axes: str = "ZYX", dtype: str = "float32") -> Stack:
    shape = [SIZES[a] for a in axes]
    array = np.random.default_rng(0).integers(-99, 99, shape).astype(dtype)
    names = ("DNA", "actin", "ER") if "C" in axes else ()
    return Stack(array, axes, (0.3, 0.1, 0.2), "cell", names)


def finished(*args: Any, **options: Any) -> Finished:
    last = list(apply(*args, **options))[-1]
    assert isinstance(last, Finished)
    return last


@pytest.mark.parametrize("axes", ["ZYX", "TZYX", "ZCYX", "TCZYX", "ZYXS", "ZXY"])
@pytest.mark.parametrize("suffix", [".ome.tif", ".zarr"])
def test_files_hold_the_result_and_its_geometry(
    tmp_path: Path, axes: str, suffix: str
) -> None:
    stack = source(axes)
    path = tmp_path / "new" / f"a{suffix}"
    result = finished(
        Negative(), stack, make_sink(path), tile=(4, 16, 32), provenance={"model": "m"}
    ).result

    again = read_stack(path)
    assert again.axes == result.axes
    assert again.voxel_size == pytest.approx(stack.voxel_size)
    assert again.channel_names == stack.channel_names
    assert again.metadata["provenance"] == {"model": "m"}
    letters = (
        again.axes
        if "S" not in axes or "S" in again.axes
        else again.axes.replace("C", "S")
    )
    order = [stack.axes.index(a) for a in letters]
    assert np.array_equal(np.asarray(again.data), -stack.data.transpose(order))
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_ome_tiff_keeps_the_order_of_the_axes(tmp_path: Path) -> None:
    finished(Negative(), source("ZCYX"), make_sink(tmp_path / "a.tif"))
    assert read_stack(tmp_path / "a.tif").axes == "ZCYX"


def test_ome_zarr_has_the_order_that_it_demands(tmp_path: Path) -> None:
    finished(Negative(), source("ZCYX"), make_sink(tmp_path / "a.zarr"))
    assert read_stack(tmp_path / "a.zarr").axes == "CZYX"


@pytest.mark.parametrize("suffix", [".ome.tif", ".zarr"])
def test_integers(tmp_path: Path, suffix: str) -> None:
    stack = source(dtype="int16")
    done = finished(
        Negative(), stack, make_sink(tmp_path / f"a{suffix}"), dtype="uint8"
    )
    assert done.below == (stack.data > 0).sum()
    assert np.array_equal(np.asarray(done.result.data), (-stack.data).clip(0, 255))


def test_tiles_do_not_share_chunks(tmp_path: Path) -> None:
    stack = Stack(np.zeros((9, 300, 35), "float32"), "ZYX")
    result = finished(
        Negative(), stack, make_sink(tmp_path / "a.zarr"), tile=(4, 150, 32)
    ).result
    plan = next(apply(Negative(), stack, tile=(4, 150, 32))).plan
    for core, chunk in zip(plan.tiling.core, result.data.chunks, strict=True):
        assert core % chunk == 0 and chunk <= 128


@pytest.mark.parametrize("sink", [OmeTiffSink, OmeZarrSink])
def test_a_failure_leaves_the_old_result_and_no_rubbish(
    tmp_path: Path, sink: type
) -> None:
    path = tmp_path / ("a.ome.tif" if sink is OmeTiffSink else "a.zarr")
    finished(Negative(), source(), sink(path))
    bad = source()
    bad.data[0, 0, 0] = np.nan
    with pytest.raises(DataError, match="nan"):
        finished(Negative(), bad, sink(path))
    assert np.array_equal(np.asarray(read_stack(path).data), -source().data)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".ome.tif", ".zarr"])
def test_a_new_result_replaces_the_old(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    finished(Negative(), Stack(np.ones((3, 4, 5)), "ZYX"), make_sink(path))
    finished(Negative(), source(), make_sink(path))
    assert np.array_equal(np.asarray(read_stack(path).data), -source().data)


def interrupted(path: Path, count: int, **options: Any) -> None:
    """Restore until `count` tiles are done, then pull the plug."""
    events = apply(Negative(), source(), OmeZarrSink(path), tile=(4, 16, 32), **options)
    ticks = (e for e in events if isinstance(e, TileDone))
    for _ in itertools.islice(ticks, count):
        pass
    events.close()


def test_an_interrupted_result_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    interrupted(path, 5)
    assert not path.exists()

    operator = Negative()
    # Another tile size would be chosen today; the one begun with is kept.
    events = list(apply(operator, source(), OmeZarrSink(path, resume=True)))

    total = events[0].plan.tiles
    ticks = [e for e in events if isinstance(e, TileDone)]
    assert operator.calls == len(ticks) <= total - 5
    assert ticks[-1].done == ticks[-1].total == total
    assert isinstance(events[-1], Finished)
    assert np.array_equal(np.asarray(read_stack(path).data), -source().data)
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]


def test_without_the_wish_to_resume_it_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    interrupted(path, 5)
    operator = Negative()
    done = finished(operator, source(), OmeZarrSink(path), tile=(4, 16, 32))
    assert operator.calls == 18
    assert np.array_equal(np.asarray(done.result.data), -source().data)


def test_resuming_with_nothing_begun_just_begins(tmp_path: Path) -> None:
    done = finished(Negative(), source(), OmeZarrSink(tmp_path / "a.zarr", resume=True))
    assert np.array_equal(np.asarray(done.result.data), -source().data)


def changed() -> Any:
    """Return an image of the same name, shape and type, in which one voxel differs."""
    stack = source()
    stack.data[-1, -1, -1] += 1
    return stack


@pytest.mark.parametrize(
    ("stack", "options", "names"),
    [
        (source("ZYX", "int16"), {"dtype": "int16"}, "image, pixel type"),
        (source("TZYX"), {}, "image, frames"),
        (changed(), {}, "image"),
        (source(), {"identity": {"model": "another"}}, "model"),
        (source(), {"tile": (4, 16, 16)}, "tile size"),
    ],
)
def test_something_else_is_not_continued(
    tmp_path: Path, stack: Stack, options: dict[str, Any], names: Any
) -> None:
    path = tmp_path / "a.zarr"
    interrupted(path, 5)
    with pytest.raises(DataError, match=f"was begun with a different {names};"):
        finished(Negative(), stack, OmeZarrSink(path, resume=True), **options)
    # And what was begun is still there.
    assert len((tmp_path / "a.zarr.tiles").read_text().splitlines()) > 5
    operator = Negative()
    finished(operator, source(), OmeZarrSink(path, resume=True))
    assert operator.calls < 18
    assert np.array_equal(np.asarray(read_stack(path).data), -source().data)


def test_a_record_cut_off_with_the_power_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    interrupted(path, 5)
    journal = tmp_path / "a.zarr.tiles"
    key, *numbers = journal.read_text().splitlines()
    journal.write_text("\n".join([key, *numbers[:3]]) + "\n1")
    finished(Negative(), source(), OmeZarrSink(path, resume=True))
    assert np.array_equal(np.asarray(read_stack(path).data), -source().data)
    assert len(json.loads(key)["image"]) == 64


@pytest.mark.parametrize(
    ("path", "resume", "message"),
    [
        ("a.png", False, r"expected .ome.tif, .tif or .zarr"),
        ("a.tif", True, "only a result in a .zarr"),
        (None, True, "only a result in a .zarr"),
    ],
)
def test_other_places_are_refused(path: str | None, resume: bool, message: str) -> None:
    with pytest.raises(DataError, match=message):
        make_sink(path, resume)


@pytest.mark.parametrize("suffix", [".ome.tif", ".zarr"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot be written"):
        finished(Negative(), source(), make_sink(tmp_path / "file" / f"a{suffix}"))


def test_a_full_disk_is_found_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("usage", (), {"free": 10})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    operator = Negative()
    with pytest.raises(DataError, match="free on that disk"):
        finished(operator, source(), make_sink(tmp_path / "a.tif"))
    assert operator.calls == 0
    assert list(tmp_path.iterdir()) == []


def test_large_results_are_bigtiff(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_blurgan.writing.ome_tiff.BIGTIFF_FROM", 1000)
    finished(Negative(), source(), make_sink(tmp_path / "a.ome.tif"))
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tif:
        assert tif.is_bigtiff
    assert np.array_equal(
        np.asarray(read_stack(tmp_path / "a.ome.tif").data), -source().data
    )


def test_a_tiff_source_is_decoded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_ome_tiff(tmp_path / "in.ome.tif", source().data, "ZYX")
    stack = read_stack(tmp_path / "in.ome.tif")
    read = []
    original = type(stack.data).decoded
    monkeypatch.setattr(
        type(stack.data),
        "decoded",
        lambda self, n: read.append(n) or original(self, n),
    )
    finished(Negative(), stack, tile=(4, 16, 16))
    assert sorted(read) == list(range(9))
