"""`blurgan psf spectral`: from files to a PSF, a report, and clear refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_blurgan.cli import main
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import Optics, vectorial
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.simulation import margin_for, simulate
from napari_blurgan.writing.ome_tiff import write_ome_tiff

VOXEL = (0.15, 0.08, 0.08)
SHAPE = (32, 72, 72)


@pytest.fixture(scope="module")
def truth() -> Psf:
    return vectorial(Optics(1.3, 1.515, 525), (17, 27, 27), VOXEL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, truth: Psf) -> Path:
    """Two blurred and two sharp stacks; the blurred ones are one time series."""
    folder, margin = tmp_path_factory.mktemp("sets"), margin_for(truth.data)
    large = [n + 2 * m for n, m in zip(SHAPE, margin, strict=True)]
    images = []
    for seed in range(2):
        image = phantom("microtubules", large, VOXEL, seed)
        _, clean = simulate(image, truth.data, seed=0, margin=margin)
        images.append(Camera(150 / clean.max()).expose(clean, seed))
    write_ome_tiff(folder / "blurred.ome.tif", np.stack(images), "TZYX", VOXEL)
    for seed in range(2):
        image = phantom("microtubules", SHAPE, VOXEL, 10 + seed)
        write_ome_tiff(folder / f"sharp{seed}.ome.tif", image, "ZYX", VOXEL)
    return folder


def spectral(folder: Path, *options: str) -> int:
    return main(
        [
            *("psf", "spectral", "--blurred", str(folder / "blurred.ome.tif")),
            *("--sharp", str(folder / "sharp*.ome.tif")),
            *("--out", str(folder / "psf.ome.tif"), "--overwrite", *options),
        ]
    )


def test_writes_the_psf_and_reports(
    folder: Path, truth: Psf, capsys: pytest.CaptureFixture[str]
) -> None:
    known = ("--na", "1.3", "--wavelength", "525", "--shape", "17", "27", "27")
    assert spectral(folder, *known, "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    psf = Psf.load(folder / "psf.ome.tif")
    assert psf.ncc(truth) > 0.98
    assert psf.provenance["source"] == "spectral"
    assert figures["shape"] == [17, 27, 27]
    assert figures["wavelength"] == pytest.approx(psf.provenance["wavelength"])
    assert spectral(folder, *known) == 0
    assert "residual" in capsys.readouterr().out


def test_warns_where_the_optics_cannot_explain_the_blur(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert spectral(folder, "--na", "0.5", "--wavelength", "700") == 0
    assert "do not match" in capsys.readouterr().err


def test_refuses_sets_on_other_voxels(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = np.zeros((32, 64, 64), np.float32)
    image[10:20, 20:30, 20:30] = 1
    write_ome_tiff(folder / "other.ome.tif", image, "ZYX", (0.15, 0.1, 0.1))
    arguments = [
        *("psf", "spectral", "--blurred", str(folder / "blurred.ome.tif")),
        *("--sharp", str(folder / "other.ome.tif"), "--out", str(folder / "p.tif")),
    ]
    assert main(arguments) == 2
    assert "resample one set" in capsys.readouterr().err
