"""What commands print, and how much: JSON, --quiet, --verbose, --log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_blurgan.cli import main
from napari_blurgan.optics.models import Optics, gaussian
from napari_blurgan.writing.ome_tiff import write_ome_tiff
from tests.cli.test_options import LEAVES

VOXEL = (0.3, 0.1, 0.1)
SIMULATE = (
    "simulate OUT --structure beads --shape 8 24 24 --voxel .3 .1 .1 --na 0.8 --ni 1 "
    "--wavelength 520 --psf-shape 5 7 7"
)
PSF = "psf gaussian --na .8 --ni 1 --wavelength 520 --voxel .3 .1 .1 --out OUT.tif"
RL = "deconvolve rl IMAGE --psf PSF --out OUT.tif --iterations 2 --device cpu"
PARTS = "references rl IMAGE --psf PSF --out OUT --iterations 2 --device cpu"


@pytest.fixture
def line(tmp_path: Path) -> Any:
    """Return a function that fills in the files of a command line."""
    rng = np.random.default_rng(0)
    image = rng.poisson(40, (9, 30, 60)).astype(np.uint16)
    write_ome_tiff(tmp_path / "image.tif", image, "ZYX", VOXEL)
    optics = Optics(na=0.8, ni=1.0, wavelength=520)
    gaussian(optics, (5, 7, 7), VOXEL).save(tmp_path / "psf.tif")
    names = {"IMAGE": "image.tif", "PSF": "psf.tif", "OUT": "out"}

    def filled(words: str) -> list[str]:
        for name, file in names.items():
            words = words.replace(name, str(tmp_path / file))
        return words.split()

    return filled


@pytest.mark.parametrize("prog", LEAVES)
def test_every_command_prints_json_and_is_as_quiet_as_asked(prog: str) -> None:
    said = LEAVES[prog].format_help()
    for option in ("--json", "--quiet", "--verbose", "--log"):
        assert f"{option} " in said


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (SIMULATE, ["sharp", "blurred", "psf"]),
        (PSF, ["shape", "voxel_size_um", "fwhm_um"]),
        ("recipe", ["blind", "nonblind"]),
        ("recipe blind", ["name", "forward", "terms"]),
        ("psf measure PSF --against PSF", ["centroid_voxels", "against"]),
    ],
)
def test_results_as_json(
    words: str, expected: list[str], line: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*line(words), "--json"]) == 0
    assert set(expected) <= set(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize(("words", "count"), [(RL, 1), (PARTS, 2)])
def test_a_line_of_json_for_each_image(
    words: str, count: int, line: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*line(words), "--json"]) == 0
    found = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert len(found) == count
    for made in found:
        assert Path(made["result"]).is_file()
        assert made["axes"] == "ZYX"
        assert made["source"].endswith("image.tif")


def test_an_image_that_fails_is_a_line_of_json_too(
    line: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.tif").write_bytes(b"")
    words = line(RL.replace("IMAGE", f"{tmp_path / 'bad.tif'} IMAGE"))
    words[words.index("--out") + 1] = str(tmp_path / "out")
    assert main([*words, "--json"]) == 2
    bad, good = map(json.loads, capsys.readouterr().out.splitlines())
    assert "the file is empty" in bad["error"]
    assert good["shape"] == [9, 30, 60]


def test_quiet_prints_results_only_and_the_log_has_all(
    line: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    negative = np.full((9, 30, 60), -5, np.int16)
    negative[4, 15, 30] = 900
    write_ome_tiff(tmp_path / "image.tif", negative, "ZYX", VOXEL)
    log = tmp_path / "run.log"
    assert main(line(RL)) == 0
    noted = capsys.readouterr()
    assert "note: " in noted.err
    assert main([*line(RL), "--overwrite", "--quiet", "--log", str(log)]) == 0
    quiet = capsys.readouterr()
    assert quiet.err == ""
    assert quiet.out == noted.out
    kept = log.read_text()
    assert "WARNING note: " in kept
    assert noted.out.strip() in kept
    assert main([*line(RL), "--quiet", "--log", str(log)]) == 2
    assert "ERROR   blurgan: " in log.read_text().removeprefix(kept)
    size = log.stat().st_size
    assert main(line(RL)) == 2
    assert "exists already" in capsys.readouterr().err.splitlines()[-1]
    assert log.stat().st_size == size


def test_verbose_says_where_an_error_arose(
    line: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line("psf measure missing.tif")) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert main([*line("psf measure missing.tif"), "--verbose"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("blurgan: ")
    assert "Traceback" in said


def test_a_log_that_cannot_be_written_is_refused(
    line: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "missing" / "run.log"
    assert main([*line("recipe"), "--log", str(log)]) == 2
    assert "run.log: cannot be written" in capsys.readouterr().err
