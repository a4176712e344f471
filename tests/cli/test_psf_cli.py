"""`blurgan psf`, through the front door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_blurgan.cli import main
from napari_blurgan.optics.models import MODELS, Optics, vectorial
from napari_blurgan.optics.psf import Psf

WATER = ["--na", "1.1", "--ni", "1.333", "--wavelength", "525"]
VOXEL = ["--voxel", "0.2", "0.1", "0.1"]


def psf(*arguments: object) -> Any:
    return main(["psf", *map(str, arguments)])


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "a.ome.tif"
    assert psf("vectorial", *WATER, *VOXEL, "--shape", 21, 25, 25, "--out", path) == 0
    return path


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_computed_and_saved(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "psf.ome.tif"
    code = psf(model, *WATER, *VOXEL, "--shape", 9, 11, 13, "--out", path)
    assert code == 0
    loaded = Psf.load(path)
    assert loaded.shape == (9, 11, 13)
    assert loaded.voxel_size == (0.2, 0.1, 0.1)
    assert loaded.provenance["model"] == model
    said = capsys.readouterr()
    assert "9 × 11 × 13 voxels of 0.2 × 0.1 × 0.1 µm" in said.out
    assert ("too long along z" in said.err) == (model == "born-wolf")


def test_the_microscope_on_the_line_is_the_one_computed(tmp_path: Path) -> None:
    path = tmp_path / "psf.ome.tif"
    light = ["--modality", "confocal", "--excitation", 488, "--pinhole", 0.7]
    sample = ["--ns", 1.38, "--depth", 5, "--coverslip", 175]
    shape = ["--shape", 9, 11, 11]
    assert psf("vectorial", *WATER, *VOXEL, *light, *sample, *shape, "--out", path) == 0
    optics = Optics(
        1.1,
        1.333,
        525,
        "confocal",
        excitation=488,
        pinhole=0.7,
        ns=1.38,
        depth=5,
        tg=175,
        tg0=170,
    )
    expected = vectorial(optics, (9, 11, 11), (0.2, 0.1, 0.1))
    np.testing.assert_array_equal(Psf.load(path).data, expected.data)


def test_without_a_shape_the_core_is_computed(tmp_path: Path) -> None:
    path = tmp_path / "psf.ome.tif"
    assert psf("gaussian", *WATER, *VOXEL, "--out", path) == 0
    shape = Psf.load(path).shape
    assert all(n % 2 and n > 10 for n in shape)


def test_the_psf_of_a_thick_sample_is_one_plane_with_haze(tmp_path: Path) -> None:
    thin, thick = tmp_path / "thin.ome.tif", tmp_path / "thick.ome.tif"
    assert psf("born-wolf", *WATER, *VOXEL, "--thickness", "0", "--out", thin) == 0
    assert psf("born-wolf", *WATER, *VOXEL, "--thickness", "3", "--out", thick) == 0
    assert Psf.load(thin).shape[0] == Psf.load(thick).shape[0] == 1
    assert Psf.load(thick).data.max() < 0.7 * Psf.load(thin).data.max()


def test_measure_prints_widths_centre_and_comparison(
    saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert psf("measure", saved, "--against", saved, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    truth = Psf.load(saved)
    assert told["fwhm_um"] == pytest.approx(truth.fwhm())
    assert told["fwhm_voxels"] == pytest.approx(
        np.divide(truth.fwhm(), (0.2, 0.1, 0.1))
    )
    assert told["centroid_voxels"] == pytest.approx([0, 0, 0], abs=1e-5)
    assert told["against"]["ncc"] == pytest.approx(1)
    assert told["against"]["fwhm_error"] == pytest.approx([0, 0, 0])
    assert told["against"]["resampled"] is False


@pytest.mark.parametrize("option", ["--psf-voxel", "--voxel"])
def test_measure_takes_the_size_that_its_error_asks_for(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    plain = tmp_path / "plain.tif"
    tifffile.imwrite(plain, Psf.load(saved).data, photometric="minisblack")
    assert psf("measure", plain) == 2
    assert "--psf-voxel" in capsys.readouterr().err
    assert psf("measure", plain, option, 0.2, 0.1, 0.1, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["voxel_size_um"] == [0.2, 0.1, 0.1]


def test_measure_resamples_the_reference_and_says_so(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finer = tmp_path / "finer.ome.tif"
    voxel = ["--voxel", 0.1, 0.05, 0.05]
    assert psf("vectorial", *WATER, *voxel, "--shape", 41, 49, 49, "--out", finer) == 0
    capsys.readouterr()
    assert psf("measure", saved, "--against", finer) == 0
    told = capsys.readouterr().out
    assert "resampled from 0.1 × 0.05 × 0.05 µm" in told
    ncc = float(told.split("NCC ")[1].split()[0])
    assert ncc > 0.998


def test_measure_reads_the_psf_of_a_model_folder(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "a.blurgan"
    folder.mkdir()
    saved.rename(folder / "psf.ome.tif")
    assert psf("measure", folder) == 0
    assert "FWHM" in capsys.readouterr().out


def test_unknown_widths_are_null(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "flat.ome.tif"
    Psf(np.ones((3, 3, 3)), (0.1, 0.1, 0.1)).save(path)
    assert psf("measure", path, "--json") == 0
    assert json.loads(capsys.readouterr().out)["fwhm_um"] == [None] * 3


@pytest.fixture
def beads(tmp_path: Path) -> Path:
    model = vectorial(Optics(1.1, 1.333, 525), (30, 60, 60), (0.2, 0.1, 0.1)).data
    image = sum(
        np.roll(model, (0, y, x), (0, 1, 2)) for y in (-15, 15) for x in (-15, 15)
    )
    path = tmp_path / "beads.ome.tif"
    counts = np.random.default_rng(0).poisson(500 * image / image.max() + 5)
    sizes = {f"PhysicalSize{a}": v for a, v in zip("ZYX", (0.2, 0.1, 0.1), strict=True)}
    tifffile.imwrite(path, counts.astype(np.uint16), metadata={"axes": "ZYX", **sizes})
    return path


def test_beads_become_a_psf(
    beads: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "psf.ome.tif"
    assert psf("beads", beads, "--out", out, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["beads"]["verdicts"] == {"good": 4}
    assert len(told["beads"]["each"]) == 4
    truth = vectorial(Optics(1.1, 1.333, 525), (21, 41, 41), (0.2, 0.1, 0.1))
    assert Psf.load(out).fwhm() == pytest.approx(truth.fwhm(), rel=0.05)
    assert psf("beads", beads, "--out", out, "--overwrite") == 0
    assert "4 good" in capsys.readouterr().out


def test_beads_ask_which_channel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "two.ome.tif"
    tifffile.imwrite(path, np.zeros((2, 5, 6, 7), np.uint16), metadata={"axes": "CZYX"})
    arguments = ["beads", path, "--out", tmp_path / "o.ome.tif", "--voxel", 1, 1, 1]
    assert psf(*arguments) == 2
    assert "2 channels" in capsys.readouterr().err


def test_beads_ask_for_a_voxel_size(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, np.zeros((5, 6, 7), np.uint16), photometric="minisblack")
    assert psf("beads", path, "--out", tmp_path / "o.ome.tif") == 2
    assert "--voxel" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["measure", "nowhere.tif"], "nowhere.tif"),
        (["gaussian", *WATER[:5], "0.525", *VOXEL, "--out", "a.tif"], "nanometres"),
        (["gaussian", *WATER, *VOXEL, "--out", "nowhere/a.tif"], "cannot be written"),
    ],
)
def test_faults_of_the_request_are_one_line_and_code_2(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert psf(*arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_help_names_every_way_and_loads_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as left:
        psf("--help")
    assert left.value.code == 0
    told = capsys.readouterr().out
    for way in (*MODELS, "beads", "spectral", "measure"):
        assert way in told


def test_spectral_is_behind_its_own_door(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        psf("spectral", "--help")
    assert left.value.code == 0
    assert "--sharp" in capsys.readouterr().out
