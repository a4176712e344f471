"""`blurgan convert`: images of any file, each as an OME-TIFF of its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_blurgan import Stack, read_stack
from napari_blurgan.cli import main
from napari_blurgan.errors import DataError
from tests.support.vendor_files import LENS, VOXEL, image, write_czi, write_lif


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_each_image_of_a_file_becomes_one_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stacks = [image((n, 8, 9), "uint8") for n in (3, 4)]
    series = {"s1": ("ZYX", stacks[0]), "l": ("λYX", image((5, 8, 9), "uint8"))}
    write_lif(Path("a.lif"), series | {"s2": ("ZYX", stacks[1])})
    assert main(["convert", "a.lif", "--out", "made/", "--json"]) == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(row["result"]).name for row in printed] == [
        "a-0.ome.tif",
        "a-1.ome.tif",
    ]
    for number, pixels in enumerate(stacks):
        for found in (
            read_stack(f"made/a-{number}.ome.tif"),
            read_stack("a.lif", image=number),
        ):
            np.testing.assert_array_equal(np.asarray(found), pixels)
            assert found.voxel_size == pytest.approx(VOXEL)
            lens = found.metadata["acquisition"].lens
            assert {name: lens[name] for name in LENS} == LENS


def test_scenes_and_plain_files_are_copied_and_nothing_is_overwritten(
    capsys: pytest.CaptureFixture[str],
) -> None:
    scenes = image((2, 9, 11))
    places = [{"S": 0}, {"S": 1, "X": 500}]
    write_czi(Path("b.czi"), list(zip(places, scenes, strict=True)))
    Stack(scenes, "ZYX", VOXEL).save("c.zarr")
    command = ["convert", "b.czi", "c.zarr", "--out", "made"]
    assert main(command) == 0
    assert sorted(path.name for path in Path("made").iterdir()) == [
        "b-0.ome.tif",
        "b-1.ome.tif",
        "c.ome.tif",
    ]
    np.testing.assert_array_equal(np.asarray(read_stack("made/b-1.ome.tif")), scenes[1])
    assert read_stack("made/c.ome.tif").axes == "ZYX"
    capsys.readouterr()
    assert main(command) == 2
    assert "exists" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0


def test_an_image_that_is_not_there_is_refused() -> None:
    write_lif(Path("a.lif"), {"s": ("ZYX", image((3, 8, 9), "uint8"))})
    Stack(image((8, 9)), "YX").save("b.tif")
    with pytest.raises(DataError, match=r"holds 1 images of planes.*found 1"):
        read_stack("a.lif", image=1)
    with pytest.raises(DataError, match=r"b.tif: holds one image"):
        read_stack("b.tif", image=1)
    with pytest.raises(DataError, match="image"):
        read_stack("b.tif", image=-1)
