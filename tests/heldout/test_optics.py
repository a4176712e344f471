"""`likely_optics` and `blurgan psf likely`: from files to a PSF, and clear refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_blurgan import Optics, Psf, Stack, likely_optics
from napari_blurgan.cli import main
from napari_blurgan.errors import AxesError, BlurGANError, DataError, OpticsError
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import vectorial
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.simulation import blur
from napari_blurgan.writing.ome_tiff import write_ome_tiff

VOXEL = (0.16, 0.08, 0.08)
TRUE = Optics(1.2, 1.33, 525)
GIVEN = Optics(1.0, 1.33, 525)
VARY = {"na": (0.9, 1.3)}


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """Counts of filaments, the middle of a field, above an offset of 100."""
    truth = phantom("microtubules", (48, 80, 80), VOXEL, 3)
    seen = blur(truth, vectorial(TRUE, (31, 31, 31), VOXEL).data)
    camera = Camera(1000 / float(np.percentile(seen, 99.95)), 2.0, offset=100.0)
    return camera.expose(seen, 4)[12:-12, 16:-16, 16:-16].astype(np.uint16)


def test_the_command_finds_the_aperture_and_writes_its_psf(
    image: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_ome_tiff(tmp_path / "cell.ome.tif", image, "ZYX", VOXEL)
    out = tmp_path / "psf.ome.tif"
    words = ["psf", "likely", str(tmp_path / "cell.ome.tif"), "--out", str(out)]
    words += ["--na", "1.0", "--ni", "1.33", "--wavelength", "525"]
    assert main([*words, "--vary", "na=0.9:1.3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parameters"]["na"]["told"]
    assert found["optics"]["na"] == pytest.approx(TRUE.na, abs=0.06)
    assert found["gain"] > 0.01
    psf = Psf.load(out)
    assert psf.fwhm()[1] < 0.95 * vectorial(GIVEN, psf.shape, VOXEL).fwhm()[1]
    assert psf.provenance["likely"]["na"]["given"] == 1.0
    assert main([*words, "--vary", "na=0.9:1.3"]) == 2, "the file is there"
    assert "--overwrite" in capsys.readouterr().err


def test_of_planes_the_aperture_is_found(image: np.ndarray) -> None:
    thin = phantom("microtubules", (1, 128, 128), VOXEL, 5)
    psf = vectorial(TRUE, (1, 61, 61), VOXEL)
    seen = blur(thin, psf.data)
    camera = Camera(2000 / float(np.percentile(seen, 99.95)), 2.0, offset=100.0)
    plane = Stack(camera.expose(seen, 4)[0], "YX", (None, *VOXEL[1:]))
    found = likely_optics(plane, GIVEN, VARY)
    assert found.parameters["na"].told
    assert found.parameters["na"].best == pytest.approx(TRUE.na, abs=0.08)


@pytest.mark.parametrize(
    ("vary", "words"),
    [
        ({}, "nothing is to be varied"),
        ({"na": (1.3, 0.9)}, "a smaller and a larger number"),
        ({"na": 1.2}, "a smaller and a larger number"),
        ({"na": (1.1, 1.3)}, "does not lie between"),
        ({"na": (0.9, 1.4)}, "aperture"),
        ({"sheet_thickness": (0.5, 1.0)}, "the given value, None"),
        ({"modality": (0, 1)}, "modality"),
        ({"apertures": (0.9, 1.3)}, "apertures"),
    ],
)
def test_intervals_that_are_none_are_refused(vary: Any, words: str) -> None:
    with pytest.raises(BlurGANError, match=words):
        likely_optics(np.zeros((8, 16, 16)), GIVEN, vary, voxel_size=VOXEL)


def test_images_that_do_not_belong_together_are_refused() -> None:
    stack = Stack(np.zeros((8, 16, 16)), "ZYX", VOXEL, name="one")
    plane = Stack(np.zeros((16, 16)), "YX", (None, *VOXEL[1:]), name="plane")
    with pytest.raises(DataError, match="single planes"):
        likely_optics([stack, plane], GIVEN, VARY)
    with pytest.raises(OpticsError, match="without the voxel size"):
        likely_optics(np.zeros((8, 16, 16)), GIVEN, VARY)
    colours = Stack(np.zeros((2, 8, 16, 16)), "CZYX", VOXEL, name="two")
    with pytest.raises(AxesError, match="2 channels"):
        likely_optics(colours, GIVEN, VARY)


def test_what_is_to_be_varied_is_written_as_an_interval(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["psf", "likely", "none.tif", "--out", str(tmp_path / "psf.tif")]
    words += ["--na", "1.0", "--ni", "1.33", "--wavelength", "525"]
    assert main([*words, "--vary", "na=1.2"]) == 2
    assert "NAME=LEAST:MOST" in capsys.readouterr().err
    assert main([*words, "--vary", "na=0.9:1.2", "na=0.8:1.3"]) == 2
    assert "na twice" in capsys.readouterr().err
