"""The discriminator of measurements."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from napari_blurgan import Optics, Psf, Stack, Trainer, load_model, preset
from napari_blurgan.cli import main
from napari_blurgan.forward.kspace import KSpaceForward, KSpaceMask
from napari_blurgan.monitoring.events import Stepped
from napari_blurgan.objective.ambient import Ambient
from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.reading.images import read_stack
from napari_blurgan.transport.assembly import Transport
from napari_blurgan.transport.draw import Draw
from napari_blurgan.transport.transported import Transported
from napari_blurgan.writing.ome_tiff import write_ome_tiff
from tests.transport.test_kspace import SMALL, slices, stack, tensor, undersampled
from tests.transport.test_predicted import Knows

VOXEL = (0.3, 0.1, 0.1)
TINY = {
    "reconstructor.base": 2,
    "reconstructor.iterations": 5,
    "discriminator.base": 2,
    "discriminator.scales": 1,
    "sampling.patch": 16,
    "precision": "float32",
}


def test_a_random_mask_measures_other_lines_the_second_time() -> None:
    torch.manual_seed(0)
    sharp, mask = tensor(slices(1)), KSpaceMask(KSpaceForward())
    measured = mask(sharp)
    images = Transported(Transport(Knows(sharp), mask), Draw(measured), None)
    assert torch.allclose(images.y_cycle, measured, atol=1e-6)
    assert not torch.allclose(images.y_again, measured, atol=1e-2)
    assert images.y_again is images.y_again


def test_it_compares_images_with_what_is_measured_again() -> None:
    torch.manual_seed(0)
    sharp, mask = tensor(slices(1)), KSpaceMask(KSpaceForward())
    images = Transported(Transport(Knows(sharp), mask), Draw(mask(sharp)), None)
    real, made = Ambient.real_and_made(Ambient.__new__(Ambient), images)
    assert torch.equal(real, images.y)
    assert made is images.y_again


def test_what_is_measured_again_has_the_noise_of_the_photons_in_y() -> None:
    noise = NoiseModel(0.02, 0.001).with_light(0.5)
    assert (noise.slope, noise.intercept) == (0.04, 0.002)


def test_its_discriminator_is_trained_and_resumed_beside_others(
    tmp_path: object,
) -> None:
    recipe = preset("mri").updated(
        SMALL | {"terms.adversarial_remeasured": 1.0, "terms.adversarial_y": 1.0}
    )
    y, x = stack(undersampled(slices(1)), "y"), stack(slices(2), "x")
    out = f"{tmp_path}/m.blurgan"
    for steps in (2, 3):
        trainer = Trainer(
            recipe, [y], [x], out, steps=steps, device="cpu", resume=steps > 2
        )
        found = [e for e in trainer if isinstance(e, Stepped)]
    names = {f"discriminator_{name}" for name in ("x", "y", "remeasured")}
    assert names <= set(found[-1].losses)
    assert found[-1].step == 3


def test_it_needs_no_sharp_image() -> None:
    y: Stack = stack(undersampled(slices(1)), "y")
    trainer = Trainer(
        preset("mri-ambient").updated(SMALL), [y], [], steps=2, device="cpu"
    )
    steps = [e for e in trainer if isinstance(e, Stepped)]
    assert "adversarial_remeasured" in steps[-1].losses


def test_without_sharp_images_it_trains_resumes_and_restores_from_files(
    tmp_path: Path,
) -> None:
    seen = np.random.default_rng(0).poisson(50, (16, 24, 24)).astype(np.float32)
    image, spread = tmp_path / "y.ome.tif", tmp_path / "psf.ome.tif"
    write_ome_tiff(image, seen, "ZYX", VOXEL)
    Psf.from_optics(Optics(1, 1.33, 520), VOXEL, (5, 7, 7)).save(spread)
    out, result = tmp_path / "m.blurgan", tmp_path / "r.ome.tif"
    line = ["train", "ambient", "--blurred", str(image), "--psf", str(spread)]
    line += ["--out", str(out), "--device", "cpu"]
    settings = [f"{name}={value}" for name, value in TINY.items()]
    assert main([*line, "--set", *settings, "--steps", "2"]) == 0
    assert main([*line, "--set", *settings, "--steps", "3", "--resume"]) == 0
    history = load_model(out).history
    assert [row["step"] for row in history] == [1, 2, 3]
    assert "discriminator_remeasured" in history[-1]
    assert main(["restore", str(out), str(image), "--out", str(result)]) == 0
    assert read_stack(result).shape == seen.shape
