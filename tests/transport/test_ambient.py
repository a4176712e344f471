"""The discriminator of measurements."""

from __future__ import annotations

import torch

from napari_blurgan import Stack, Trainer, preset
from napari_blurgan.forward.kspace import KSpaceForward, KSpaceMask
from napari_blurgan.monitoring.events import Stepped
from napari_blurgan.objective.ambient import Ambient
from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.transport.assembly import Transport
from napari_blurgan.transport.draw import Draw
from napari_blurgan.transport.transported import Transported
from tests.transport.test_kspace import SMALL, slices, stack, tensor, undersampled
from tests.transport.test_predicted import Knows


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
