"""How the command ends where the shell has a say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from napari_blurgan.cli import main, recipe
from napari_blurgan.cli._batch import Made, each
from napari_blurgan.errors import DataError
from napari_blurgan.models.model import load_model


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [("recipe", "blind"), ("recipe", "--help")])
def test_a_reader_that_leaves_early_ends_it_quietly(
    arguments: tuple[str, str], unbuffered: str
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "napari_blurgan", *arguments],
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert errors == b""
    # Unbuffered, the argparse of newer Pythons is silent about a help nobody reads.
    quiet = unbuffered and "--help" in arguments
    assert process.wait() in ({0, 141} if quiet else {141})


def test_a_failure_of_ours_is_a_line_and_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def run(options: Any) -> None:
        raise BrokenPipeError(32, "a worker has gone")

    monkeypatch.setattr(recipe, "run", run)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main(["recipe", "blind"]) == 1
    (log,) = tmp_path.glob("blurgan-*.log")
    said = capsys.readouterr().err.strip()
    assert "\n" not in said
    assert "BrokenPipeError" in said
    assert "report" in said
    assert str(log) in said
    assert "a worker has gone" in log.read_text()
    assert "Traceback" in log.read_text()


def test_a_failure_of_ours_is_in_the_log_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def answer(*parts: Any) -> None:
        raise RuntimeError("a wheel has come off")

    monkeypatch.setattr(recipe, "answer", answer)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    log = tmp_path / "all.log"
    assert main(["recipe", "blind", "--verbose", "--log", str(log)]) == 1
    for said in (log.read_text(), capsys.readouterr().err):
        assert "RuntimeError" in said
        assert "Traceback" in said
        assert "a wheel has come off" in said


def test_a_failure_at_one_image_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    done = []

    def make(source: Any, out: Path) -> Any:
        if source == Path("b"):
            raise KeyError("b")
        done.append(source)
        return Made(out, "ZYX", (1, 2, 3), "uint8")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    todo = [(Path(name), Path("out")) for name in "abc"]
    with pytest.raises(DataError, match="1 of 3 images"):
        each(todo, make, "restored")
    assert done == [Path("a"), Path("c")]
    assert "b: failed with KeyError" in capsys.readouterr().err


FOREGROUND = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
"""Ctrl-C is heard even where these tests run in the background of a shell.

Such a shell starts its children deaf to SIGINT, and they hand that on."""


@contextmanager
def started(script: str, folder: Path) -> Iterator[Any]:
    """Run a script in a folder; it does not outlive the test."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{FOREGROUND}\n{script}"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def asked_to_end(process: Any, number: int) -> Any:
    """Send a signal; return what is said until the end, no 5 s of computing later."""
    before = psutil.Process(process.pid).cpu_times()
    process.send_signal(number)
    earlier = os.times()
    words = process.communicate(timeout=120)
    after = os.times()
    user = after.children_user - earlier.children_user - before.user
    system = after.children_system - earlier.children_system - before.system
    assert user + system < 5
    return words


TRAINING = """
import sys
import numpy as np
from napari_blurgan.cli import main
from napari_blurgan.writing.ome_tiff import write_ome_tiff
from napari_blurgan.training.budget import Budget
count = Budget.count_step
def counted(self):
    count(self)
    if self.step == 10:
        print("ten steps trained", file=sys.stderr, flush=True)
Budget.count_step = counted
for name in "bs":
    image = np.random.default_rng(0).poisson(40, (18, 36, 36)).astype("uint16")
    write_ome_tiff(f"{name}.tif", image, "ZYX", (0.2, 0.1, 0.1))
tiny = "reconstructor.base=2 discriminator.base=4 discriminator.scales=1"
tiny += " sampling.patch=16"
line = "train supervised --blurred b.tif --sharp s.tif --steps 1000000 --device cpu"
sys.exit(main([*line.split(), "--out", "m.blurgan", "--set", *tiny.split()]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_training_ends_cleanly_on_a_signal(number: Any, tmp_path: Path) -> None:
    with started(TRAINING, tmp_path) as process:
        for line in process.stderr:
            if "steps trained" in line:
                break
        said, _ = asked_to_end(process, number)
    assert process.returncode == 0
    assert " steps" in said
    model = load_model(tmp_path / "m.blurgan")
    assert 10 <= model.provenance["steps"] < 1_000_000
    assert len(model.history) == model.provenance["steps"]


DECONVOLUTION = """
import sys
import numpy as np
from napari_blurgan.cli import main
from napari_blurgan.writing.ome_tiff import write_ome_tiff
image = np.random.default_rng(0).poisson(40, (32, 128, 128)).astype("uint16")
write_ome_tiff("a.tif", image, "ZYX", (0.2, 0.1, 0.1))
line = "deconvolve rl a.tif --na 1 --ni 1.33 --wavelength 520 --iterations 10000"
sys.exit(main([*line.split(), "--out", "o.ome.tif"]))
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_deconvolution_leaves_nothing_half_written(
    number: Any, code: int, tmp_path: Path
) -> None:
    with started(DECONVOLUTION, tmp_path) as process:
        while not list(tmp_path.glob(".o.ome.tif*.part")):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        _, errors = asked_to_end(process, number)
    assert process.returncode == code
    assert "Traceback" not in errors
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]
