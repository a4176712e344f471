"""The width of the blur: unseen photons tell one that is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.claims.self_supervised import NA, psf, stacks
from benchmarks.claims.self_supervised import OFFSET as OFFSET_OF_STACKS
from napari_blurgan import Stack, preset
from napari_blurgan.errors import RecipeError
from napari_blurgan.heldout.regions import middle_of
from napari_blurgan.heldout.settling import settled
from napari_blurgan.heldout.width import Widths, best_width, scaled
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel, gaussian_kernel
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.simulation import blur as blurred_by
from napari_blurgan.preparation.calibration import Calibration, NoiseModel
from napari_blurgan.preparation.levels import calibrate
from napari_blurgan.preparation.site import Site
from tests.transport.test_settling import NOISE, OFFSET, VOXEL, blur, image

TOLERANCE = 0.2


def gaussian(width: float) -> BlurKernel:
    """Return a blur that ends within its support, whatever its width."""
    fwhm = (5.0 * width**2, 4.0 * width, 4.0 * width)
    return BlurKernel(FixedKernel(gaussian_kernel((15, 13, 13), fwhm)))


def small(photons: float = 300) -> np.ndarray:
    """Return counts of a field that was blurred by `gaussian(1.0)`."""
    return image(photons, gaussian(1.0), (16, 32, 32))


def test_a_blur_is_scaled_as_an_aperture_scales_it() -> None:
    """In the plane by the factor, along z by its square; flux and gain stay."""
    one = BlurKernel(FixedKernel(gaussian_kernel((41, 31, 31), (8, 5, 5))), gain=2.0)
    expected = gaussian_kernel((41, 31, 31), (8 * 1.21, 5 * 1.1, 5 * 1.1))
    found = scaled(one, 1.1)
    np.testing.assert_allclose(found.kernel().numpy(), expected, atol=1e-4)
    assert float(found.kernel().sum()) == pytest.approx(1)
    assert float(found.gain) == 2.0
    assert scaled(one, 1.0) is one


def test_a_plane_is_scaled_in_the_plane() -> None:
    flat = BlurKernel(FixedKernel(gaussian_kernel((1, 31, 31), (1, 5, 5))), dims=2)
    found = scaled(flat, 0.8)
    expected = gaussian_kernel((1, 31, 31), (1, 4, 4))
    assert found.dims == 2
    np.testing.assert_allclose(found.kernel().numpy(), expected, atol=1e-3)


def test_too_wide_a_blur_is_narrowed_and_never_too_far() -> None:
    """Narrower ones than the true predict as well: the nearest is taken."""
    region = small() - np.float32(OFFSET)
    found = best_width(region, gaussian(1.15), NOISE, TOLERANCE)
    assert 1 / 1.15 - 0.02 < found < 0.96


def test_the_right_width_is_kept() -> None:
    region = small() - np.float32(OFFSET)
    assert best_width(region, gaussian(1.0), NOISE, TOLERANCE) == 1


def test_the_right_width_is_kept_where_a_narrower_one_predicts_a_little_better() -> (
    None
):
    blur_of = blur(1.1)
    sheets = phantom("membranes", (20, 48, 48), VOXEL, 3)
    seen = blurred_by(sheets, blur_of.kernel().numpy())
    scale = 60 / float(np.percentile(seen, 99.9))
    camera = Camera(scale, read_noise=2.0, offset=OFFSET)
    dim = camera.expose(seen, 6).astype(np.float32) - np.float32(OFFSET)
    compared = Widths(dim, blur_of, NOISE)
    assert compared.error(0.95) < compared.error(1.0)
    assert best_width(dim, blur_of, NOISE, TOLERANCE) == 1


def test_a_grain_takes_away_what_a_narrower_blur_gains_by_its_smoothness() -> None:
    """Sheets are the hardest of those that were tried."""
    stack, _ = stacks("sheets", 120, 12)[0]
    counts = np.asarray(stack.data) - np.float32(OFFSET_OF_STACKS)
    region = np.ascontiguousarray(counts[middle_of(counts.shape, (32, 64, 64))])
    blur_of, noise = BlurKernel(FixedKernel(psf(NA).data)), NoiseModel(1.0, 9.0)
    voxels, grains = (Widths(region, blur_of, noise, grain) for grain in (0.0, 0.88))
    assert voxels.worse(1.0, 0.9)
    assert not grains.worse(1.0, 0.9)
    assert best_width(region, blur_of, noise, TOLERANCE, 0.88) == 1


def test_too_narrow_a_blur_is_left_as_it_is() -> None:
    """A wider one may be aberrated, which scaling does not describe."""
    region = small() - np.float32(OFFSET)
    assert best_width(region, gaussian(0.85), NOISE, TOLERANCE) == 1


@pytest.mark.parametrize("noise", [NoiseModel(0.01, 1e-4), NoiseModel(0.0, 0.0)])
def test_an_image_without_light_changes_no_blur(noise: NoiseModel) -> None:
    dark = np.zeros((8, 16, 16), np.float32)
    assert best_width(dark, gaussian(1.0), noise, TOLERANCE) == 1


@pytest.mark.parametrize("name", ["self-supervised", "nonblind"])
def test_it_is_looked_for_with_sharp_images_and_given_iterations_too(
    name: str,
) -> None:
    changes = {"forward.tolerance": TOLERANCE, "reconstructor.iterations": 10}
    recipe = preset(name).updated(changes)
    stack = Stack(small(800), "ZYX", VOXEL)
    sharp = [stack] if recipe.source.domains > 1 else []
    levels = calibrate(recipe, [stack], sharp)
    given = Site(recipe, [stack], sharp, VOXEL, levels, forward=gaussian(1.15))
    found = settled(given)
    assert found.calibration.width < 0.97
    assert found.recipe == recipe


def test_a_lower_background_does_not_hide_too_wide_a_blur() -> None:
    """Haze that fills the field explains what the blur should: here 5 grey levels."""
    voxel = (0.16, 0.08, 0.08)

    def psf(na: float) -> np.ndarray:
        optics = Optics(na, 1.515, 525)
        return theoretical_psf(optics, (31, 31, 31), voxel).data

    drawn = phantom("nuclei", (48, 96, 96), voxel, 80, diameter=3.0)
    seen = blurred_by(drawn, psf(1.3))
    camera = Camera(200 / float(np.percentile(seen, 99.95)), 3.0, offset=OFFSET)
    middle = camera.expose(seen, 87)[8:-8, 16:-16, 16:-16]
    stack = Stack(middle.astype(np.float32), "ZYX", voxel)
    recipe = preset("self-supervised").updated({"forward.tolerance": TOLERANCE})
    levels = calibrate(recipe, [stack], [])
    wide = BlurKernel(FixedKernel(psf(1.17)))
    found = settled(Site(recipe, [stack], [], voxel, levels, forward=wide))
    assert found.calibration.width == pytest.approx(0.9, abs=0.04)
    assert found.calibration.y.offset == pytest.approx(OFFSET, abs=1.0)


def test_a_learned_blur_has_no_tolerance() -> None:
    with pytest.raises(RecipeError, match="learned"):
        preset("blind").updated({"forward.tolerance": TOLERANCE})


def test_what_was_found_is_kept_where_a_training_goes_on() -> None:
    recipe = preset("self-supervised").updated({"forward.tolerance": TOLERANCE})
    stack = Stack(small(), "ZYX", VOXEL)
    levels = replace(calibrate(recipe, [stack], []), width=0.9)
    kept = Calibration.from_dict(levels.to_dict())
    assert kept == levels
    given = Site(recipe, [stack], [], VOXEL, kept, forward=gaussian(1.15))
    again = settled(given, resumed=True)
    expected = scaled(gaussian(1.15), 0.9).kernel().numpy()
    np.testing.assert_array_equal(again.forward.blur.kernel().numpy(), expected)
    assert again.calibration == levels


def test_no_tolerance_no_change() -> None:
    recipe = preset("self-supervised").updated({"forward.tolerance": 0.0})
    stack = Stack(small(), "ZYX", VOXEL)
    levels = calibrate(recipe, [stack], [])
    given = gaussian(1.15)
    found = settled(Site(recipe, [stack], [], VOXEL, levels, forward=given))
    assert found.forward is given and found.calibration.width == 1
