"""Images whose blur is not the one that was trained for."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from napari_blurgan import Stack, restore
from napari_blurgan.cli import main
from napari_blurgan.data.normalize import Normalization
from napari_blurgan.errors import DataError
from napari_blurgan.methods.presets import preset
from napari_blurgan.models.model import Model
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.psf import Psf
from napari_blurgan.preparation.calibration import Calibration, NoiseModel
from napari_blurgan.reading.images import read_stack
from napari_blurgan.reconstructors.reconstructor import build_reconstructor
from napari_blurgan.restoration.events import Noted
from napari_blurgan.tasks.restore import _operator_from, restoring
from napari_blurgan.tiling.operator import Operator
from napari_blurgan.writing.ome_tiff import write_ome_tiff

VOXEL = (0.2, 0.1, 0.1)
SUPPORT = (7, 9, 9)
LEVELS = Normalization(100, 50)
IMAGE = np.random.default_rng(0).poisson(200, (12, 20, 22)).astype(np.float32)


def psf(
    wavelength: int,
    voxel: tuple[float, float, float] = VOXEL,
    support: tuple[int, int, int] = SUPPORT,
) -> Psf:
    return theoretical_psf(Optics(1.2, 1.33, wavelength), support, voxel)


TRAINED, OTHER = psf(500), psf(650)


def model_for(trained: Psf, iterations: int = 4) -> Model:
    """A model whose network adds something to the estimate, the same for every PSF."""
    refining = {"reconstructor.iterations": iterations}
    changes = (refining if iterations else {"reconstructor.kind": "plain"}) | {
        "reconstructor.base": 2,
        "reconstructor.levels": 2,
    }
    recipe = preset("nonblind").updated(changes)
    generator = build_reconstructor(recipe.reconstructor, 3, (1, 1), (2, 2, 2))
    torch.manual_seed(0)
    for parameter in generator.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    blur = BlurKernel(FixedKernel(trained.data), 0.7) if iterations else None
    return Model(
        recipe=recipe,
        calibration=Calibration(LEVELS, LEVELS, 0.7, NoiseModel(0.1, 0.0), LEVELS),
        generator=generator.eval(),
        channels=(1, 1),
        pool=(2, 2, 2),
        blur=blur,
        psf=trained,
        voxel_size=VOXEL,
        id="0123456789ab",
    )


@pytest.fixture
def model() -> Model:
    return model_for(TRAINED)


def restored(model: Model, **options: Any) -> np.ndarray:
    stack = Stack(IMAGE, "ZYX", VOXEL, name="image")
    return np.asarray(restore(model, stack, precision="float32", **options).data)


def test_it_is_restored_as_if_that_blur_had_been_trained_for(model: Model) -> None:
    before = restored(model)
    after = restored(model, psf=OTHER)
    np.testing.assert_array_equal(after, restored(model_for(OTHER)))
    assert np.abs(after - before).max() > 0.1 * before.std()
    np.testing.assert_array_equal(restored(model), before)  # the model is as it was


def test_a_psf_as_other_programs_leave_it_is_mended_and_said_so(model: Model) -> None:
    """On a camera's offset and in FFT order."""
    clean = psf(650, support=(21, 41, 41))
    bare = np.round(clean.data / clean.data.max() * 60000)
    given = Psf(np.fft.ifftshift(bare + 500), VOXEL)
    events = list(restoring(model, Stack(IMAGE, "ZYX", VOXEL), psf=given))
    said = [e.message for e in events if isinstance(e, Noted)]
    assert any("FFT order" in note for note in said)
    assert any("offset" in note for note in said)
    found = np.asarray(events[-1].result.data)
    right = restored(model, psf=Psf(bare, VOXEL))
    assert np.corrcoef(found.ravel(), right.ravel())[0, 1] > 0.99


def test_a_psf_on_finer_voxels_is_the_same_blur(model: Model) -> None:
    fine = psf(650, (0.1, 0.05, 0.05), (15, 19, 19))
    same, other = (restored(model, psf=p) for p in (OTHER, TRAINED))
    apart = np.abs(restored(model, psf=fine) - same).mean()
    assert apart < 0.1 * np.abs(other - same).mean()


def test_workers_of_a_cluster_use_it_too(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "a.blurgan")
    operator = _operator_from(tmp_path / "a.blurgan", OTHER, "cpu", "float32")
    image = torch.from_numpy(IMAGE)[None, None]
    alone = _operator_from(tmp_path / "a.blurgan", None, "cpu", "float32")
    assert not torch.allclose(operator(image), alone(image))
    torch.testing.assert_close(operator(image), copy_of(model, OTHER)(image))


def copy_of(model: Model, psf: Psf) -> Operator:
    model.with_psf(psf).save(model.path, overwrite=True)
    return _operator_from(model.path, None, "cpu", "float32")


def test_a_model_without_estimates_has_no_use_for_one() -> None:
    with pytest.raises(DataError, match="refines no estimate; leave the PSF out"):
        restored(model_for(TRAINED, iterations=0), psf=OTHER)


def test_a_plane_is_no_blur_of_a_volume(model: Model) -> None:
    with pytest.raises(DataError, match="one plane does not say"):
        restored(model, psf=psf(500, support=(1, 9, 9)))


def test_what_was_begun_with_another_psf_is_not_continued(
    model: Model, tmp_path: Path
) -> None:
    out = tmp_path / "a.zarr"

    def interrupt(event: Any) -> None:
        if getattr(event, "done", 0) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restored(model, out=out, psf=OTHER, tile=(4, 8, 8), progress=interrupt)
    with pytest.raises(DataError, match="was begun with a different model, PSF;"):
        restored(model, out=out, tile=(4, 8, 8), resume=True)
    longer = replace(model, generator=copy.deepcopy(model.generator))
    next(longer.generator.parameters()).data += 1
    with pytest.raises(DataError, match="was begun with a different model;"):
        restored(longer, out=out, psf=OTHER, tile=(4, 8, 8), resume=True)
    restored(model, out=out, psf=OTHER, tile=(4, 8, 8), resume=True)
    assert read_stack(out).data.shape == IMAGE.shape


def test_on_the_command_line(
    model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [str(tmp_path / n) for n in ("a.blurgan", "in.ome.tif", "out.ome.tif")]
    model.save(paths[0])
    write_ome_tiff(paths[1], IMAGE, "ZYX", VOXEL)
    OTHER.save(tmp_path / "psf.ome.tif")
    common = ["--out", paths[2], "--precision", "float32"]
    code = main(
        ["restore", *paths[:2], *common, "--psf", str(tmp_path / "psf.ome.tif")]
    )
    assert code == 0
    made = np.asarray(read_stack(paths[2]).data)
    np.testing.assert_allclose(made, restored(model, psf=OTHER), rtol=1e-5)
    missing = ["--psf", str(tmp_path / "no.tif"), "--overwrite"]
    assert main(["restore", *paths[:2], *common, *missing]) != 0
    assert "no.tif" in capsys.readouterr().err


def test_nothing_is_reflected_into_an_estimate(model: Model) -> None:
    """Not even to complete the grid of the network: it would be taken for light."""
    odd = IMAGE[:-1, :-1, :-1]
    stack = Stack(odd, "ZYX", VOXEL)
    found = np.asarray(restore(model, stack, precision="float32", device="cpu").data)
    normalised = torch.from_numpy(LEVELS.apply(odd))[None, None]
    with torch.inference_mode():
        alone = model.operator("cpu")(normalised)[0, 0].numpy()
    np.testing.assert_allclose(found, LEVELS.undo(alone), rtol=1e-4, atol=1e-2)
