"""What is built can be installed, and napari finds the plugin in it."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def build(source: Path, out: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(out)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    build(ROOT, out)
    return out


def files_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if "dist-info" not in name}


def test_the_wheel_holds_what_it_needs(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    package = "napari_blurgan"
    assert {
        f"{package}/napari.yaml",
        f"{package}/py.typed",
        f"{package}/samples/dna.ome.tif",
        f"{package}/samples/README.md",
    } <= files_of(wheel)
    assert wheel.stat().st_size < 4e6


def test_the_sdist_builds_the_same_wheel(built: Path, tmp_path: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    # Python 3.11 before .4 knows no filters; later ones want to be told of one.
    careful: dict[str, Any] = (
        {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    )
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, **careful)
    (source,) = (path for path in tmp_path.iterdir() if path.is_dir())
    build(source, tmp_path / "again")
    (wheel,), (again,) = built.glob("*.whl"), (tmp_path / "again").glob("*.whl")
    assert files_of(wheel) == files_of(again)


def test_napari_accepts_the_installed_plugin(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = ["-m", "npe2", "validate", "--imports", "napari-blurgan"]
    subprocess.run(
        [sys.executable, *command],
        env=environment,
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
