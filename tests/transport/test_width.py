"""The width of the blur: unseen photons tell one that is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan import Stack, preset
from napari_blurgan.estimates.settling import settled
from napari_blurgan.estimates.width import best_width, scaled
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel, gaussian_kernel
from napari_blurgan.preparation.calibration import Calibration
from napari_blurgan.preparation.levels import calibrate
from napari_blurgan.preparation.site import Site
from tests.transport.test_settling import NOISE, OFFSET, VOXEL, image

TOLERANCE = 0.2


def gaussian(width: float) -> BlurKernel:
    """Return a blur that ends within its support, whatever its width."""
    fwhm = (5.0 * width**2, 4.0 * width, 4.0 * width)
    return BlurKernel(FixedKernel(gaussian_kernel((15, 13, 13), fwhm)))


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
    region = image(300, blur=gaussian(1.0)) - np.float32(OFFSET)
    found = best_width(region, gaussian(1.15), NOISE, TOLERANCE)
    assert 1 / 1.15 - 0.02 < found < 0.96


def test_the_right_width_is_kept() -> None:
    region = image(300, blur=gaussian(1.0)) - np.float32(OFFSET)
    assert best_width(region, gaussian(1.0), NOISE, TOLERANCE) == 1


def test_what_was_found_is_kept_where_a_training_goes_on() -> None:
    changes = {"forward.tolerance": TOLERANCE, "reconstructor.iterations": "auto"}
    recipe = preset("self-supervised").updated(changes)
    stack = Stack(image(300, blur=gaussian(1.0)), "ZYX", VOXEL)
    levels = calibrate(recipe, [stack], [])
    site = Site(recipe, [stack], [], VOXEL, levels, forward=gaussian(1.15))
    first = settled(site)
    assert first.calibration.width < 0.97
    kept = Calibration.from_dict(first.calibration.to_dict())
    fresh = Site(recipe, [stack], [], VOXEL, kept, forward=gaussian(1.15))
    again = settled(fresh, resumed=True)
    kernels = [s.forward.blur.kernel().numpy() for s in (first, again)]
    np.testing.assert_array_equal(*kernels)
    assert again.recipe == first.recipe


def test_no_tolerance_no_change() -> None:
    recipe = preset("self-supervised").updated({"forward.tolerance": 0.0})
    stack = Stack(image(300, blur=gaussian(1.0)), "ZYX", VOXEL)
    levels = calibrate(recipe, [stack], [])
    given = gaussian(1.15)
    found = settled(Site(recipe, [stack], [], VOXEL, levels, forward=given))
    assert found.forward is given and found.calibration.width == 1
