"""`blurgan simulate` and `blurgan evaluate`, through the front door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_blurgan.cli import main
from napari_blurgan.cli.simulate import STRUCTURES as OFFERED
from napari_blurgan.optics.phantoms import STRUCTURES
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.simulation import blur
from napari_blurgan.reading.images import read_stack
from napari_blurgan.writing.ome_tiff import write_ome_tiff

OPTICS = ["--na", "1.2", "--ni", "1.333", "--wavelength", "525"]
VOLUME = ["--shape", "12", "40", "48", "--voxel", "0.3", "0.12", "0.12"]


def _simulate(
    out: Path, *more: str, structure: str = "microtubules", geometry: list[str] = VOLUME
) -> Any:
    arguments = ["simulate", str(out), "--structure", structure, *geometry, *OPTICS]
    code = main([*arguments, *map(str, more)])
    names = ("sharp", "blurred", "psf")
    return code, *(read_stack(out / f"{name}.ome.tif") for name in names)


def test_simulate_offers_every_structure() -> None:
    assert tuple(STRUCTURES) == OFFERED


def test_simulate_writes_three_files_with_their_geometry(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, sharp, blurred, psf = _simulate(tmp_path / "out", "--seed", 3)
    assert code == 0
    assert "sharp.ome.tif, blurred.ome.tif, psf.ome.tif" in capsys.readouterr().out
    for stack in (sharp, blurred, psf):
        assert stack.axes == "ZYX"
        assert stack.voxel_size == pytest.approx((0.3, 0.12, 0.12))
    assert sharp.data.shape == blurred.data.shape == (12, 40, 48)
    chosen = blurred.metadata["provenance"]["simulate"]
    assert (chosen["seed"], chosen["na"], chosen["noise"]) == (3, 1.2, "camera")
    found = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert found == ["blurred.ome.tif", "psf.ome.tif", "sharp.ome.tif"]


def test_simulate_is_the_blur_of_the_sharp_by_the_psf(tmp_path: Path) -> None:
    """Inside, where no light comes from beyond the field."""
    more = ("--noise", "none", "--psf-shape", 5, 9, 9)
    _, sharp, blurred, _ = _simulate(tmp_path, *more)
    psf = Psf.load(tmp_path / "psf.ome.tif")
    inside = (slice(2, -2), slice(4, -4), slice(4, -4))
    expected = blur(sharp.data[:], psf.data)[inside]
    np.testing.assert_allclose(blurred.data[:][inside], expected, atol=1e-5)
    assert expected.max() > 0.01


def test_simulate_has_light_from_outside_the_field(tmp_path: Path) -> None:
    _, sharp, blurred, psf = _simulate(tmp_path, "--noise", "none")
    alone = blur(sharp.data[:], psf.data[:])
    assert blurred.data[:].sum() > 1.1 * alone.sum()


def test_simulate_repeats_with_the_seed(tmp_path: Path) -> None:
    first, again, other = (
        _simulate(tmp_path / name, "--seed", seed)[1:3]
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    for one, two, three in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(one.data[:], two.data[:])
        assert not np.array_equal(one.data[:], three.data[:])


def test_simulate_makes_planes(tmp_path: Path) -> None:
    plane = ["--shape", "40", "48", "--voxel", "0.12", "0.12"]
    _, sharp, blurred, psf = _simulate(tmp_path, structure="nuclei", geometry=plane)
    assert (sharp.axes, blurred.axes) == ("YX", "YX")
    assert sharp.data.shape == blurred.data.shape == (40, 48)
    assert sharp.voxel_size[1:] == pytest.approx((0.12, 0.12))
    assert psf.spatial_shape[-2:] > (8, 8)


def test_simulate_knows_the_noise_of_the_paper(tmp_path: Path) -> None:
    _, _, blurred, _ = _simulate(tmp_path, "--noise", "paper")
    assert set(np.unique(blurred.data[:])) <= {*range(0, 255, 7), 255}


def test_simulate_scales_density_and_thickness(tmp_path: Path) -> None:
    thin, thick, dense = (
        _simulate(tmp_path / name, *more)[1].data[:].sum()
        for name, more in (
            ("thin", ()),
            ("thick", ("--thickness", 0.36)),
            ("dense", ("--density", 3)),
        )
    )
    assert thick > 1.5 * thin
    assert dense > 1.5 * thin


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--shape", "8"), "--shape and --voxel take Z Y X or Y X; found 8 and"),
        (("--voxel", "0.1"), "--shape and --voxel take"),
        (("--na", "1.5"), "numerical aperture"),
        (("--photons", "0"), "--photons must be from"),
        (("--density", "0"), "--density must be from"),
        (("--model", "airy"), "no PSF model 'airy'"),
        (("--structure", "beads", "--thickness", "1"), "beads have no option"),
    ],
)
def test_simulate_refuses_with_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: tuple[str, ...],
    message: str,
) -> None:
    arguments = ["simulate", str(tmp_path), "--structure", "microtubules"]
    assert main([*arguments, *VOLUME, *OPTICS, *more]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_simulate_does_not_write_into_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.write_text("mine")
    assert main(["simulate", str(out), "--structure", "beads", *VOLUME, *OPTICS]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert out.read_text() == "mine"


def _pair(
    folder: Path,
    axes: str = "ZYX",
    shape: tuple[int, ...] = (4, 20, 24),
    voxel: tuple[float, ...] = (0.3, 0.1, 0.1),
) -> Any:
    rng = np.random.default_rng(0)
    reference = rng.random(shape).astype(np.float32)
    result = 2 * reference + 5 + 0.1 * rng.random(shape, dtype=np.float32)
    paths = folder / "result.ome.tif", folder / "reference.ome.tif"
    for path, image in zip(paths, (result, reference), strict=True):
        write_ome_tiff(path, image, axes, voxel)
    return [str(path) for path in paths]


def test_evaluate_prints_figures_and_controls(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *_pair(tmp_path)]) == 0
    printed = capsys.readouterr().out
    for word in ("PSNR (dB)", "control: no image", "SSIM", "after the intensity fit"):
        assert word in printed


def test_evaluate_prints_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *_pair(tmp_path), "--json", "--paper"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["correlation"] > 0.99
    assert report["slope"] == pytest.approx(0.5, abs=0.01)
    assert report["psnr_fitted"] > 30 > 0 > report["psnr"]
    assert 0 < report["paper_ssim"] <= 1
    assert report["paper_psnr_equalized"] < report["paper_psnr"]
    assert 0 < report["paper_ssim_equalized"] <= 1


def test_evaluate_prints_the_scores_of_the_paper_in_two_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *_pair(tmp_path), "--paper"]) == 0
    *_, head, psnr, ssim = capsys.readouterr().out.splitlines()
    assert "as it is" in head
    assert "after adaptive histogram equalisation" in head
    assert len(psnr.removeprefix("    PSNR (dB)").split()) == 2
    assert len(ssim.removeprefix("    SSIM").split()) == 2


def test_evaluate_of_equal_images_is_valid_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result, _ = _pair(tmp_path)
    assert main(["evaluate", result, result, "--json"]) == 0
    report = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert report["psnr"] is None
    assert report["ssim"] == pytest.approx(1.0)


def test_evaluate_takes_each_time_point_and_channel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = _pair(tmp_path, "TCYX", (2, 3, 20, 24))
    assert main(["evaluate", *files, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    places = [(image["time"], image["channel"]) for image in report["images"]]
    assert places == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    mean = np.mean([image["ssim"] for image in report["images"]])
    assert report["ssim"] == pytest.approx(mean)
    assert main(["evaluate", *files]) == 0
    assert "time 1, channel 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"shape": (5, 20, 24)}, "the spatial shape of the result is (4, 20, 24)"),
        ({"axes": "CYX"}, "the spatial shape"),
        ({"axes": "CZYX", "shape": (2, 4, 20, 24)}, "the channels of the result is 1"),
        ({"axes": "TZYX", "shape": (2, 4, 20, 24)}, "1 time points, the reference 2"),
        ({"voxel": (0.3, 0.2, 0.2)}, "the voxel size of the result"),
    ],
)
def test_evaluate_refuses_what_does_not_match(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    other: dict[str, Any],
    message: str,
) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    result, _ = _pair(tmp_path / "one")
    _, reference = _pair(tmp_path / "other", **other)
    assert main(["evaluate", result, reference]) == 2
    assert message in capsys.readouterr().err


def test_evaluate_of_a_missing_file_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, reference = _pair(tmp_path)
    assert main(["evaluate", str(tmp_path / "none.tif"), reference]) == 2
    assert "no such file" in capsys.readouterr().err
