"""What is settled on the user's own photons: zero, misfit, number of iterations."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_blurgan import Stack, preset
from napari_blurgan.heldout.background import best_background
from napari_blurgan.heldout.misfit import NOTABLE_MISFIT, misfit
from napari_blurgan.heldout.settling import bearable, settled
from napari_blurgan.objective.remeasured import floor_for
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.simulation import blur as blurred_by
from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.preparation.levels import calibrate
from napari_blurgan.preparation.site import Site

VOXEL = (0.2, 0.1, 0.1)
OFFSET = 100.0
NOISE = NoiseModel(1.0, 4.0)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def blur(na: float = 0.9) -> BlurKernel:
    psf = theoretical_psf(Optics(na, 1.33, 520), (13, 13, 13), VOXEL)
    return BlurKernel(FixedKernel(psf.data))


def image(
    photons: float,
    blur: BlurKernel = blur(),  # noqa: B008
    shape: tuple[int, int, int] = (24, 48, 48),
) -> np.ndarray:
    """Return counts of a dense field, offset included."""
    truth = phantom("vesicles", shape, VOXEL, 3)
    seen = blurred_by(truth, blur.kernel().numpy())
    camera = Camera(photons / float(seen.max()), read_noise=2.0, offset=OFFSET)
    return camera.expose(seen, 4).astype(np.float32)


@pytest.mark.parametrize("error", [3.0, 2.0])
def test_a_background_that_is_too_high_is_lowered_until_the_image_is_explained(
    error: float,
) -> None:
    taken = NoiseModel(1.0, NOISE.intercept + error)
    region = image(150) - np.float32(OFFSET + error)
    assert best_background(region, blur(), taken) == pytest.approx(error, abs=1.2)


def test_a_background_that_is_slightly_too_low_is_kept() -> None:
    region = image(150) - np.float32(OFFSET - 1)
    assert best_background(region, blur(), NoiseModel(1.0, 3.0)) == 0.0


def test_a_background_that_explains_the_image_is_kept() -> None:
    voxel, optics = (0.16, 0.08, 0.08), Optics(1.3, 1.515, 525)
    psf = theoretical_psf(optics, (31, 31, 31), voxel).data
    seen = blurred_by(phantom("nuclei", (48, 96, 96), voxel, 30, diameter=3.0), psf)
    camera = Camera(120 / float(np.percentile(seen, 99.95)), read_noise=3.0, offset=0.0)
    region = camera.expose(seen, 37).astype(np.float32)[8:-8, 16:-16, 16:-16]
    noise = NoiseModel(1.0, 9.0)
    assert best_background(region, BlurKernel(FixedKernel(psf)), noise) == 0.0


def test_no_background_is_looked_for_below_the_read_noise() -> None:
    region = image(150) - np.float32(OFFSET)
    assert best_background(region, blur(), NoiseModel(1.0, 0.0)) == 0.0


def test_the_misfit_tells_a_wrong_aperture_in_good_light() -> None:
    region = image(2000) - np.float32(OFFSET)
    right, wrong = (misfit(region, blur(na), NOISE, 30) for na in (0.9, 0.75))
    assert right < 1 < 5 < wrong


def test_light_from_beyond_the_stack_raises_no_doubt() -> None:
    outside = 8
    deep = image(2000, shape=(24 + 2 * outside, 48, 48))
    region = deep[outside:-outside] - np.float32(OFFSET)
    right, wrong = (misfit(region, blur(na), NOISE, 30) for na in (0.9, 0.75))
    assert right < NOTABLE_MISFIT < wrong


def test_what_the_blur_does_not_explain_bounds_iterations_and_raises_the_floor() -> (
    None
):
    unexplained = [-1.0, 1.0, 10.0, 100.0, 1e4, 1e9]
    numbers = [bearable(m) for m in unexplained]
    floors = [floor_for(m) for m in unexplained]
    assert numbers == sorted(numbers, reverse=True) and numbers[0] > 130
    assert floors == sorted(floors) and floors[0] == 1e-3 and floors[-1] <= 0.3


def test_a_training_that_goes_on_keeps_the_background_it_has() -> None:
    recipe = preset("self-supervised")
    stack = Stack(image(150), "ZYX", VOXEL)
    levels = calibrate(recipe, [stack], [])
    too_high = levels.shifted(-3 / levels.y.scale)
    site = Site(recipe, [stack], [], VOXEL, too_high, forward=blur())
    first = settled(site)
    again = settled(first.with_forward(recipe, first.forward), resumed=True)
    assert abs(first.calibration.y.offset - OFFSET) < 1.2
    assert first.calibration != too_high
    assert again == first


@pytest.mark.parametrize("name", ["nonblind", "blind"])
def test_sharp_images_do_not_say_where_the_background_is(name: str) -> None:
    recipe = preset(name)
    truth = phantom("vesicles", (24, 48, 48), VOXEL, 5).astype(np.float32)
    seen = Stack(image(150), "ZYX", VOXEL)
    levels = calibrate(recipe, [seen], [Stack(truth, "ZYX", VOXEL)])
    too_high = levels.shifted(-3 / levels.y.scale)
    given = blur().with_gain(too_high.gain)
    site = Site(recipe, [seen], [Stack(truth, "ZYX", VOXEL)], VOXEL, too_high)
    found = settled(site.with_forward(recipe, given))
    assert abs(found.calibration.y.offset - OFFSET) < 1.5
    assert found.calibration.gain > 1.02 * too_high.gain
    assert float(found.forward.blur.gain) == pytest.approx(found.calibration.gain)
    raised = found.calibration.output.scale / too_high.output.scale
    assert raised == pytest.approx(found.calibration.gain / too_high.gain)
