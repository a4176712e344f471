"""Files and folders are there as a whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_blurgan.errors import DataError, ModelFileError
from napari_blurgan.writing.atomic import replacing, replacing_folder


def test_a_file_takes_the_place_of_the_old_one_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    for text in ("one", "other"):
        with replacing(path) as temporary:
            temporary.write_text(text)
        assert path.read_text() == text
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_the_refusal_of_the_system_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ModelFileError, match="cannot be written"),
        replacing(tmp_path / "file" / "a.txt", ModelFileError),
    ):
        raise AssertionError


def test_a_write_cut_short_asks_for_the_disk(tmp_path: Path) -> None:
    with (
        pytest.raises(
            DataError, match=r"is the disk full\? 52 requested and 9 written"
        ),
        replacing(tmp_path / "a.tif"),
    ):
        raise OSError("52 requested and 9 written")


def test_a_folder_takes_the_place_of_the_old_one_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    for name in ("one", "other"):
        with replacing_folder(path) as temporary:
            temporary.mkdir()
            (temporary / name).write_text(name)
        assert [p.name for p in path.iterdir()] == [name]
    with pytest.raises(ZeroDivisionError), replacing_folder(path) as temporary:
        temporary.mkdir()
        raise ZeroDivisionError
    assert [p.name for p in path.iterdir()] == ["other"]
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]
