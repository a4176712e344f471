"""Checks of arguments, shared by all commands and functions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_blurgan import checks
from napari_blurgan.errors import DataError, RecipeError


def test_an_existing_path_is_kept_unless_it_may_go(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    checks.refuse_existing(path)
    path.write_bytes(b"x")
    checks.refuse_existing(path, overwrite=True)
    with pytest.raises(DataError, match="--overwrite"):
        checks.refuse_existing(path)


def test_an_input_is_never_an_output(tmp_path: Path) -> None:
    source = tmp_path / "in.zarr"
    source.mkdir()
    (tmp_path / "link").symlink_to(source)
    assert checks.same_file(tmp_path / "link", source)
    for out in (source, tmp_path / "link", source / "out.tif"):
        with pytest.raises(DataError):
            checks.refuse_input(out, source)
    checks.refuse_input(tmp_path / "out.tif", source)


def test_a_path_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="no folder"):
        checks.check_parent(tmp_path / "file" / "out.tif")
    checks.check_parent(tmp_path / "new" / "out.tif")


def test_the_nearest_name_is_suggested() -> None:
    assert checks.did_you_mean("itertions", ["iterations"]) == (
        "; did you mean iterations?"
    )
    assert checks.did_you_mean("zzz", ["iterations"]) == ""
    with pytest.raises(RecipeError, match="did you mean weight"):
        checks.known_names("rl-tv", ["wieght"], ["weight", "iterations"])


@pytest.mark.parametrize("value", [0.0, 1, np.float32(0.5), np.array(1.0)])
def test_numbers_in_range(value: object) -> None:
    assert checks.in_range("share", value, 0, 1) == float(value)


def test_a_zero_with_a_sign_is_a_zero_without() -> None:
    assert str(checks.in_range("share", -0.0, 0, 1)) == "0.0"


@pytest.mark.parametrize("value", [-1, 2, float("nan"), "wide", None, [1, 2], 1j])
def test_numbers_out_of_range_are_named(value: object) -> None:
    with pytest.raises(DataError, match="share must be"):
        checks.in_range("share", value, 0, 1)


def test_whole_numbers() -> None:
    assert checks.whole("steps", 5.0, 1, 9) == 5
    for wrong in (0, 10, 2.5, True if False else "5.5"):
        with pytest.raises(DataError, match="whole number"):
            checks.whole("steps", wrong, 1, 9)


def test_voxel_sizes() -> None:
    assert checks.checked_voxels((0.3, 0.1, 0.1)) == (0.3, 0.1, 0.1)
    assert checks.checked_voxels((0.2, 0.1)) == (None, 0.2, 0.1)
    for wrong in ((0.1,), (0.1, 0, 0.1), (0.1, 0.1, 1e9), "wide"):
        with pytest.raises(DataError, match="voxel_size"):
            checks.checked_voxels(wrong)
