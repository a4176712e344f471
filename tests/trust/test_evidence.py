"""Evidence maps: what was added or taken away is found, what is right is believed."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

import napari_blurgan
from napari_blurgan import Model, Stack, preset, restore, train
from napari_blurgan.cli import main
from napari_blurgan.errors import DataError
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.kernel import gaussian_kernel
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.simulation import blur
from napari_blurgan.tasks.evidence import DRAWS, Evidence, _repeatable, evidence
from napari_blurgan.trust.support import INTERCEPT, SLOPE

VOXELS = (0.2, 0.1, 0.1)
PSF = Psf(gaussian_kernel((9, 11, 11), (2.0, 1.5, 1.5)), VOXELS)
LINE = (slice(8, 9), slice(10, 30), slice(12, 13))
OTHER = (slice(8, 9), slice(10, 30), slice(28, 29))
HALF = (slice(8, 9), slice(10, 20), slice(12, 13))
LIGHT = 900.0


@pytest.fixture(scope="module")
def images() -> dict[str, np.ndarray]:
    """One line of light, seen through a PSF, and restorations of it."""
    true = np.zeros((16, 40, 40), np.float32)
    true[LINE] = LIGHT
    camera = Camera(photons=1.0, read_noise=2.0, gain=2.0, offset=100.0)
    measured = camera.expose(blur(true, PSF.data), 1)
    # The units of a restoration are those of the image: grey levels.
    right = 2 * true
    added, lost = right.copy(), right.copy()
    added[OTHER] = right[LINE]
    lost[HALF] *= 0.2
    return {"measured": measured, "right": right, "added": added, "lost": lost}


def judge(images: dict[str, np.ndarray], name: str, **options: object) -> Evidence:
    pair = [Stack(images[n], "ZYX", VOXELS) for n in ("measured", name)]
    return evidence(*pair, psf=PSF, device="cpu", **options)


def test_what_is_right_is_believed(images: dict[str, np.ndarray]) -> None:
    found = judge(images, "right")
    values, residual, light, _ = np.asarray(found.maps.data)
    assert values[LINE].min() > 0.95
    assert found.report.unsupported == 0
    assert abs(found.report.worst) < 6
    assert found.report.calibration_error < 0.05
    # Residuals have the spread that the noise explains.
    assert 0.7 < residual[4:12, 8:32, 8:32].std() < 1.3
    assert light[LINE].min() > 20


def test_invented_light_is_reported_and_lies_below_zero(
    images: dict[str, np.ndarray],
) -> None:
    found = judge(images, "added")
    values, residual, _, error = np.asarray(found.maps.data)
    assert values[OTHER].max() < 0.05
    assert residual[OTHER].max() < -10
    # The PSF and the neighbourhood, of widths at half maximum of 2.0 and 1.5.
    around = np.sqrt(2) / 2.355 * np.array([2.0, 1.5, 1.5])
    blurred = gaussian_filter(images["added"], around)
    middle = (slice(8, 9), slice(14, 26), slice(28, 29))
    np.testing.assert_allclose(error[middle], blurred[middle], rtol=0.3)
    assert error[LINE].max() < 0.2 * error[middle].min()
    assert values[LINE].min() > 0.9
    assert 0.4 < found.report.unsupported < 0.6
    assert found.report.worst < 0
    assert "invented" in str(found.report)


def test_lost_light_is_reported_and_lies_above_zero(
    images: dict[str, np.ndarray],
) -> None:
    found = judge(images, "lost")
    values, residual, *_ = np.asarray(found.maps.data)
    assert values[HALF].max() < 0.1
    assert residual[HALF].min() > 10
    assert found.report.worst > 0


def test_detail_that_the_microscope_does_not_show_passes(
    images: dict[str, np.ndarray],
) -> None:
    """The null space of H: documented, and no more than that."""
    hidden = images["right"].copy()
    stripes = np.zeros_like(hidden)
    stripes[8, 10:30:2, 12] = hidden[LINE].max()
    hidden[LINE] = 2 * stripes[LINE]
    hidden[8, 11:30:2, 12] = 0
    found = judge(images | {"hidden": hidden}, "hidden")
    assert np.asarray(found.maps.data)[0][8, 12:27, 12].min() > 0.9
    assert any("finer than the PSF" in note for note in found.notes)


def test_other_units_of_the_restoration_make_no_difference(
    images: dict[str, np.ndarray],
) -> None:
    scaled = images | {"scaled": images["right"] / 5000}
    found = judge(scaled, "scaled")
    assert found.report.scale == pytest.approx(5000, rel=0.05)
    assert np.asarray(found.maps.data)[0][LINE].min() > 0.9


def test_tiles_give_what_the_whole_gives(images: dict[str, np.ndarray]) -> None:
    whole = np.asarray(judge(images, "added").maps.data)
    tiled = np.asarray(judge(images, "added", tile=(16, 20, 40)).maps.data)
    inside = (slice(None), slice(None), slice(8, 32), slice(8, 32))
    assert np.abs(whole - tiled)[0][inside[1:]].max() < 0.02
    assert np.abs(whole - tiled)[1][inside[1:]].max() < 0.3


def test_time_points_are_judged_one_by_one(images: dict[str, np.ndarray]) -> None:
    pair = [
        Stack(np.stack([images[a], images[b]]), "TZYX", VOXELS)
        for a, b in (("measured", "measured"), ("right", "added"))
    ]
    found = evidence(*pair, psf=PSF, device="cpu")
    values = np.asarray(found.maps.data)[0]
    assert found.maps.axes == "CTZYX"
    assert values[0][OTHER].min() > 0.5
    assert values[1][OTHER].max() < 0.05
    assert found.report.worst_at[0] == 1


@pytest.mark.parametrize(
    ("restored", "words"),
    [
        (np.ones((16, 40, 39), np.float32), "spatial shape"),
        (np.full((16, 40, 40), np.nan, np.float32), "NaN"),
        (np.zeros((16, 40, 40), np.float32), "constant"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    images: dict[str, np.ndarray], restored: np.ndarray, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        judge(images | {"odd": restored}, "odd")


def test_neither_model_nor_psf_is_refused(images: dict[str, np.ndarray]) -> None:
    with pytest.raises(DataError, match="give a PSF"):
        evidence(images["measured"], images["right"])


def test_the_command_writes_maps_and_prints_three_numbers(
    images: dict[str, np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("measured", "added"):
        Stack(images[name], "ZYX", VOXELS).save(tmp_path / f"{name}.ome.tif")
    PSF.save(tmp_path / "psf.ome.tif")
    paths = [str(tmp_path / f"{n}.ome.tif") for n in ("measured", "added")]
    out = tmp_path / "evidence.ome.tif"
    words = ["evidence", *paths, "--psf", str(tmp_path / "psf.ome.tif")]
    words += ["--out", str(out), "--device", "cpu"]
    assert main([*words, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert 0.4 < printed["unsupported"] < 0.6
    assert printed["worst"] < -10
    assert printed["calibration_error"] < 0.05
    maps = napari_blurgan.read_stack(out)
    assert maps.channel_names == ("evidence", "residual", "light", "error")
    assert main(words) == 2
    assert "exists already and is not overwritten" in capsys.readouterr().err


@pytest.fixture(scope="module")
def drawing() -> Model:
    """Return a model that draws from a distribution, hardly trained."""
    rng = np.random.default_rng(0)
    noisy = Stack(rng.poisson(30, (4, 32, 32)).astype(np.float32), "TYX", name="n")
    changes = {"steps": 2, "precision": "float32", "reconstructor.base": 4}
    recipe = preset("divnoising").updated(changes | {"sampling.patch": 16})
    model = train(recipe, noisy, device="cpu", progress=lambda event: None)
    # So early its draws hardly differ: as much as they will where light is faint.
    with torch.no_grad():
        for weight in model.generator.network.last.parameters():
            weight *= 5
    return model


def test_light_must_exceed_the_variation_of_draws(drawing: Model) -> None:
    rng = np.random.default_rng(1)
    measured = Stack(rng.poisson(30, (32, 32)).astype(np.float32), "YX", name="n")
    measured.data[8:24, 8:24] += 60
    alone = evidence(measured, measured, model=drawing, repeats=(), device="cpu")
    found = evidence(measured, measured, model=drawing, repeats=["draws"], device="cpu")
    less, more = (np.asarray(e.maps.data)[0] for e in (found, alone))
    assert (less <= more + 1e-6).all()
    drawn = restore(drawing, measured, samples=DRAWS, outputs=["sd"], device="cpu")
    level = float(np.sqrt(np.square(np.asarray(drawn))[..., 10:22, 10:22].mean()))
    # Logistic of half the light over the variation; see trust.support.
    expected = 1 / (1 + np.exp(-(SLOPE * 0.5 * 90 / level + INTERCEPT)))
    assert less[10:22, 10:22].mean() == pytest.approx(expected, abs=2e-3)
    assert expected < more[10:22, 10:22].min()


def test_light_must_exceed_the_disagreement_with_other_models(
    drawing: Model, tmp_path: Path
) -> None:
    """As checkpoints of a training, or trainings with other seeds."""
    other = copy.deepcopy(drawing)
    other.id = "another"
    with torch.no_grad():
        other.generator.network.last.bias += 1.0
    rng = np.random.default_rng(1)
    pixels = rng.poisson(30, (32, 32)).astype(np.float32)
    pixels[8:24, 8:24] += 60
    measured = Stack(pixels, "YX", name="n")
    measured.save(tmp_path / "n.ome.tif")
    for name, model in (("first", drawing), ("other", other)):
        model.save(tmp_path / f"{name}.blurgan")
    alone = evidence(measured, measured, model=drawing, repeats=(), device="cpu")
    names = [str(tmp_path / n) for n in ("first.blurgan", "n.ome.tif", "n.ome.tif")]
    out = tmp_path / "maps.ome.tif"
    words = ["evidence", *names, "--also", str(tmp_path / "other.blurgan")]
    assert main([*words, "--repeats", "--out", str(out), "--device", "cpu"]) == 0
    found = napari_blurgan.read_stack(out)
    less, more = np.asarray(found.data)[0], np.asarray(alone.maps.data)[0]
    made = [restore(m, measured, device="cpu").data for m in (drawing, other)]
    level = np.abs(np.subtract(*made))[8:24, 8:24].mean() / np.sqrt(2)
    # Logistic of half the light over the disagreement; see trust.support.
    expected = 1 / (1 + np.exp(-(SLOPE * 0.5 * 90 / level + INTERCEPT)))
    assert less[10:22, 10:22].mean() == pytest.approx(expected, abs=0.02)
    assert expected < more[10:22, 10:22].min() - 0.05
    assert "another" in str(found.metadata)


def test_other_models_need_a_first_one(images: dict[str, np.ndarray]) -> None:
    with pytest.raises(DataError, match="compared with the first"):
        judge(images, "right", also=["other.blurgan"])


def test_an_image_larger_than_the_memory_is_not_restored_again() -> None:
    large = Stack(np.broadcast_to(np.float32(0), (10**4, 10**4, 10**4)), "ZYX")
    assert not _repeatable(large)
    assert _repeatable(Stack(np.zeros((8, 8, 8), np.float32), "ZYX"))


def test_an_unknown_repetition_is_refused(images: dict[str, np.ndarray]) -> None:
    with pytest.raises(DataError, match="no repetition is called 'twice'"):
        judge(images, "right", repeats=["twice"])
