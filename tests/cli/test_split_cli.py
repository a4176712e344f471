"""`blurgan split`: of every pair one image, in one domain."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_blurgan.cli import main
from napari_blurgan.reading.images import read_stack
from napari_blurgan.writing.ome_tiff import write_ome_tiff

NUMBERS = range(7)


def image(path: Path, value: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_ome_tiff(path, np.full((4, 5), value, np.uint16), "YX", (None, 0.2, 0.2))
    return path


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for n in NUMBERS:
        image(tmp_path / "pairs" / "phase" / f"cell {n}.ome.tif", n)
        image(tmp_path / "pairs" / "stain" / f"cell {n}.tif", 100 + n)
    return tmp_path / "pairs"


def values(folder: Path) -> list[int]:
    return sorted(int(read_stack(p).data[0, 0]) for p in folder.iterdir())


def check(out: Path) -> list[int]:
    """Make sure that no pair is in both domains, nor none; return what is in A."""
    a, b = values(out / "A"), values(out / "B")
    assert sorted([*a, *(value - 100 for value in b)]) == list(NUMBERS)
    assert abs(len(a) - len(b)) == 1
    return a


def split(*paths: object, out: Path, seed: int = 0) -> int:
    return main(["split", *map(str, paths), "--out", str(out), "--seed", str(seed)])


def test_one_image_of_each_pair_goes_to_its_domain(folders: Path) -> None:
    out = folders.parent
    assert split(folders, out=out / "one") == 0
    assert split(folders / "phase", folders / "stain", out=out / "two") == 0
    assert split(folders, out=out / "other seed", seed=1) == 0
    first = check(out / "one")
    assert check(out / "two") == first
    assert check(out / "other seed") != first
    assert not list(out.glob(".*"))


def test_the_swapped_folders_are_the_swapped_domains(folders: Path) -> None:
    out = folders.parent / "swapped"
    assert split(folders / "stain", folders / "phase", out=out) == 0
    assert min(values(out / "A")) >= 100 > max(values(out / "B"))


def test_each_pair_goes_either_way(folders: Path) -> None:
    out = folders.parent
    found = set()
    for seed in range(12):
        assert split(folders, out=out / f"{seed}", seed=seed) == 0
        found |= set(values(out / f"{seed}" / "A"))
    assert found == set(NUMBERS)


def test_what_was_left_out_is_written_down(folders: Path) -> None:
    out = folders.parent / "out"
    assert split(folders, out=out, seed=3) == 0
    record = json.loads((out / "split.json").read_text())
    assert record["seed"] == 3
    for domain, other in (("A", "stain"), ("B", "phase")):
        for entry in record[domain]:
            assert (out / domain / Path(entry["image"]).name).exists()
            assert Path(entry["left out"]).parent.name == other


@pytest.mark.parametrize(
    ("one", "other"),
    [("c{}_dapi", "c{}_phase"), ("dapi {}", "phase {}")],
)
def test_files_are_paired_by_their_words(tmp_path: Path, one: str, other: str) -> None:
    for n in NUMBERS:
        image(tmp_path / "all" / (one.format(n) + ".tif"), n)
        image(tmp_path / "all" / (other.format(n) + ".tif"), 100 + n)
    assert split(tmp_path / "all", out=tmp_path / "folder") == 0
    assert split(tmp_path / "all" / "*.tif", out=tmp_path / "files") == 0
    assert check(tmp_path / "folder") == check(tmp_path / "files")


def test_files_are_copied_as_they_are(folders: Path) -> None:
    out = folders.parent / "out"
    assert split(folders, out=out) == 0
    for copy in (out / "A").iterdir():
        assert copy.read_bytes() == (folders / "phase" / copy.name).read_bytes()


def test_what_is_no_set_of_pairs_is_refused(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folders.parent / "out"

    def says(words: str, *paths: object) -> None:
        assert split(*paths, out=out) == 2
        assert words in capsys.readouterr().err
        assert not out.exists()

    says("no such file", folders.parent / "none")
    says("no pairs", folders / "phase")
    only = [image(folders.parent / f"cell {kind}.tif", 1) for kind in ("a", "b")]
    says("at least two pairs", *only)
    image(folders / "phase" / "lonely.tif", 1)
    says("lonely has no partner", folders)
    (folders / "phase" / "lonely.tif").rename(folders / "phase" / "cell 1.tif")
    says("have the same name", folders)


def test_nothing_is_written_over(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folders.parent / "out"
    out.mkdir()
    (out / "mine").touch()
    assert split(folders, out=out) == 2
    assert "name a new folder" in capsys.readouterr().err
    assert [p.name for p in out.iterdir()] == ["mine"]
