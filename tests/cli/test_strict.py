"""--strict: images with missing chunks are refused by every command alike."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from napari_blurgan.cli import main

MODEL = Path(__file__).parents[1] / "models" / "version1"
OPTICS = ("--na", 1.0, "--ni", 1.33, "--wavelength", 520)
VOXEL = ("--voxel", 0.3, 0.1, 0.1)
VARY = ("--vary", "na=0.5:1.0")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    image = np.random.default_rng(0).poisson(50, (16, 32, 32)).astype("uint16")
    zarr.create_array(tmp_path / "a.zarr", data=image, chunks=(4, 32, 32))
    next((tmp_path / "a.zarr").rglob("c/1/0/0")).unlink()
    shutil.copytree(MODEL, tmp_path / "m.blurgan")
    return tmp_path


def commands(files: Any) -> Any:
    image, out = files / "a.zarr", files / "o.ome.tif"
    points = ("--background", "2,5,5,2", "--foreground", "10,16,16,2")
    sets = ("--blurred", image, "--sharp", image)
    return {
        "deconvolve": ("deconvolve", "rl", image, *OPTICS, *VOXEL, "--out", out),
        "restore": ("restore", files / "m.blurgan", image, *VOXEL, "--out", out),
        "beads": ("psf", "beads", image, *VOXEL, "--out", out),
        "likely": ("psf", "likely", image, *OPTICS, *VOXEL, *VARY, "--out", out),
        "threshold": ("threshold", image, *points),
        "train": ("train", "cyclegan", *sets, "--out", files / "n.blurgan"),
    }


@pytest.mark.parametrize(
    "name", ["deconvolve", "restore", "beads", "likely", "threshold", "train"]
)
def test_missing_chunks_are_refused_where_asked(
    files: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([str(word) for word in (*commands(files)[name], "--strict")])
    assert code == 2
    assert "1 of 4 chunks are not there" in capsys.readouterr().err
    assert not (files / "o.ome.tif").exists()


def test_they_are_reported_where_not(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(word) for word in commands(files)["threshold"]]) == 0
    assert "1 of 4 chunks are not there" in capsys.readouterr().err
