"""The images of a folder, and the places of their results."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_blurgan.errors import DataError
from napari_blurgan.writing.names import images_in, result_names


def test_the_images_of_a_folder_are_known_by_their_endings(tmp_path: Path) -> None:
    names = ("b.TIF", "a.ome.tif", "c.lsm", ".hidden.tif", "notes.txt", "model")
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / "d.zarr").mkdir()
    found = [path.name for path in images_in(tmp_path)]
    assert found == ["a.ome.tif", "b.TIF", "c.lsm", "d.zarr"]


def test_each_result_has_a_place_of_its_own(tmp_path: Path) -> None:
    images = [Path("x/a.ome.tif"), Path("x/b.lsm"), Path("x/c.zarr")]
    places = [place.name for _, place in result_names(images, tmp_path)]
    assert places == ["a.ome.tif", "b.ome.tif", "c.zarr"]
    flat = [place.name for _, place in result_names(images, tmp_path, zarr=False)]
    assert flat[-1] == "c.ome.tif"
    with pytest.raises(DataError, match="would both become"):
        list(result_names([Path("x/a.tif"), Path("y/a.ome.tif")], tmp_path))
