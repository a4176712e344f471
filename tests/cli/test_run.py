"""``blurgan run``: many images, models and PSFs from one file."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from napari_blurgan import load_model
from napari_blurgan.cli import main
from napari_blurgan.models import model as models
from napari_blurgan.optics.models import Optics, gaussian
from napari_blurgan.reading.images import read_stack
from napari_blurgan.tasks.restore import restore
from napari_blurgan.writing.ome_tiff import write_ome_tiff
from tests.support.models import untrained

VOXEL = (0.3, 0.1, 0.1)
RESTORE: dict[str, Any] = {"do": "restore", "model": "m.blurgan", "device": "cpu"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with two images of two channels, a model and a PSF."""
    untrained().save(tmp_path / "m.blurgan")
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        image = rng.integers(90, 300, (2, 9, 30, 25)).astype("uint16")
        write_ome_tiff(tmp_path / f"{name}.tif", image, "CZYX", VOXEL)
    optics = Optics(na=0.8, ni=1.0, wavelength=520)
    gaussian(optics, (5, 7, 7), VOXEL).save(tmp_path / "psf.ome.tif")
    return tmp_path


def job(place: Path, *tasks: dict[str, Any]) -> str:
    path = place / "job.yaml"
    path.write_text(yaml.safe_dump({"tasks": list(tasks)}))
    return str(path)


def rows(place: Path) -> list[dict[str, str]]:
    with (place / "job-summary.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Count how often a model is read."""
    paths: list[Any] = []

    def load(path: Any) -> Any:
        paths.append(path)
        return load_model(path)

    monkeypatch.setattr(models, "load_model", load)
    return paths


def test_channels_models_and_psfs_in_one_process(
    place: Path, loaded: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = [
        RESTORE | {"inputs": "?.tif", "channel": c, "out": f"c{c}"} for c in (0, 1)
    ]
    classical = {
        "do": "deconvolve rl",
        "inputs": ["a.tif"],
        "psf": "psf.ome.tif",
        "iterations": 2,
        "background": 0,
        "out": "rl.ome.tif",
        "device": "cpu",
    }
    assert main(["run", job(place, *tasks, classical)]) == 0
    assert len(loaded) == 1
    stack = read_stack(place / "a.tif").only_channel(1)
    found = read_stack(place / "c1" / "a.ome.tif")
    expected = np.asarray(restore(place / "m.blurgan", stack, device="cpu").data)
    np.testing.assert_array_equal(np.asarray(found.data), expected)
    assert read_stack(place / "rl.ome.tif").axes == "CZYX"
    table = rows(place)
    assert [row["status"] for row in table] == ["done"] * 5
    assert [row["task"] for row in table] == list("11223")
    assert table[4]["shape"] == "2×9×30×25"
    printed = capsys.readouterr()
    assert printed.out.count("done") == 5
    assert "5 of 5: " in printed.err


def test_what_fails_is_reported_and_resumed(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = (place / "b.tif").read_bytes()
    (place / "b.tif").write_bytes(b"")
    file = job(place, RESTORE | {"inputs": "?.tif", "channel": 0, "out": "o"})
    assert main(["run", file]) == 2
    assert "1 of 2 images failed" in capsys.readouterr().err
    done, failed = rows(place)
    assert (done["status"], failed["status"]) == ("done", "failed")
    assert "b.tif: the file is empty" in failed["message"]
    before = (place / "o" / "a.ome.tif").stat().st_mtime_ns

    assert main(["run", file]) == 2  # nothing is overwritten
    assert "exists" in capsys.readouterr().err
    (place / "b.tif").write_bytes(image)
    assert main(["run", file, "--resume", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["status"] for row in found] == ["kept", "done"]
    assert [row["status"] for row in rows(place)] == ["kept", "done"]
    assert (place / "o" / "a.ome.tif").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"inputs": "a.tif", "out": "o", "chanel": 0}, "did you mean --channel?"),
        ({"inputs": "z*.tif", "out": "o"}, "no file matches z*.tif"),
        ({"inputs": "a.tif", "out": "o", "tile": 0}, "--tile must be"),
        ({"inputs": "a.tif", "out": "o", "tile": None}, "tile needs a value"),
        ({"inputs": "a.tif"}, "--out"),
        ({"out": "o"}, "inputs needs a value"),
        ({"inputs": "a.tif", "out": "o", "do": "train"}, "do is restore or deconvolve"),
        ({"inputs": "a.tif", "out": "o", "resume": True}, "resume is an option of"),
        ({"inputs": "a.tif", "out": "o", "model": "none"}, "none"),
        ({"inputs": "a.tif", "out": "first", "channel": 1}, "task 1 and task 2 both"),
    ],
)
def test_an_impossible_task_is_refused_before_any_work(
    place: Path,
    task: dict[str, Any],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = RESTORE | {"inputs": "a.tif", "channel": 0, "out": "first"}
    assert main(["run", job(place, first, RESTORE | task)]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "task 2" in said
    assert said.count("\n") == 1
    assert not (place / "first").exists()
    assert not (place / "job-summary.csv").exists()


@pytest.mark.parametrize(
    "content",
    ["", "restore", "tasks: 3", "tasks: []", "tasks: [3]", "task: []", "a: ["],
)
def test_what_is_no_job_is_refused(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(content)
    assert main(["run", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("blurgan: ")
    assert said.count("\n") == 1
