"""Brightness does not depend on where an image was cut out, and flat stays flat."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from napari_blurgan.classical.images import deconvolve
from napari_blurgan.classical.methods import METHODS
from napari_blurgan.inverse.far_light import folded, light_within, with_far_light
from napari_blurgan.inverse.psf_fit import fit_psf, psf_shape_for
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.psf import Psf

VOXEL, OPTICS = (0.3, 0.1, 0.1), Optics(1.4, 1.515, 520)
FIELD, DEEP = (48, 48), 31


def camera_for(method):
    return Camera(gain=0.1, offset=0.0, read_noise=0.0) if method == "rlgc" else None


def psf_for(shape):
    return theoretical_psf(OPTICS, psf_shape_for(OPTICS, shape, VOXEL), VOXEL)


@pytest.fixture(scope="module")
def spots():
    """A deep world seen by a deep PSF: truth, and the image of all its planes."""
    psf = theoretical_psf(OPTICS, (2 * DEEP - 1, 47, 47), VOXEL).data
    truth = np.zeros((DEEP, *FIELD))
    truth[DEEP // 2, 15, 30] = truth[DEEP // 2, 32, 18] = 1
    truth = gaussian_filter(truth, (1.2, 1.3, 1.3))
    truth *= 5000 / truth.max()
    field = (slice(DEEP - 1, 2 * DEEP - 1), slice(23, 71), slice(23, 71))
    image = np.maximum(fftconvolve(truth, psf)[field], 0).astype(np.float32)
    return truth, image


def of_planes(planes):
    low = DEEP // 2 - planes // 2
    return slice(low, low + planes)


@pytest.mark.parametrize("method", ["rl", "rlgc"])
def test_a_spot_is_as_bright_whatever_the_number_of_planes(spots, method):
    truth, image = spots
    peaks = []
    for planes in (31, 9, 5):
        part = image[of_planes(planes)]
        found = deconvolve(
            part, psf_for(part.shape), method, camera=camera_for(method)
        ).image
        peaks.append(found[planes // 2].max())
        light = found.sum() / truth[of_planes(planes)].sum()
        # The far light counts for a little more than the world is deep.
        assert 0.98 < light < 1.1
    assert min(peaks) > 0.8 * max(peaks)


@pytest.mark.parametrize("method", ["wiener", "tikhonov"])
def test_linear_filters_agree_on_a_spot(spots, method):
    _, image = spots
    peaks = [
        deconvolve(part, psf_for(part.shape), method).image[len(part) // 2].max()
        for part in (image[of_planes(n)] for n in (31, 9, 5))
    ]
    assert min(peaks) > 0.6 * max(peaks)


def test_a_measured_psf_is_as_bright_whatever_the_number_of_planes(spots):
    """It is larger than the thin stacks: what does not fit is not scaled away."""
    _, image = spots
    measured = Psf(theoretical_psf(OPTICS, (61, 47, 47), VOXEL).data, VOXEL)
    peaks = [
        deconvolve(image[of_planes(n)], measured, "rl").image[n // 2].max()
        for n in (31, 9, 5)
    ]
    assert min(peaks) > 0.8 * max(peaks)


@pytest.mark.parametrize("edges", ["extend", "periodic"])
@pytest.mark.parametrize("shape", [(12, 40, 33), (3, 40, 33), (1, 40, 33), (40, 33)])
@pytest.mark.parametrize("method", METHODS)
def test_a_flat_field_stays_flat(method, shape, edges):
    flat = np.full(shape, 100, np.float32)
    options = {"camera": camera_for(method), "edges": edges}
    found = deconvolve(flat, psf_for(shape), method, **options).image
    np.testing.assert_allclose(found, 100, rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_a_flat_field_on_a_background_stays_flat(method):
    flat = np.full((5, 33, 40), 100, np.float32)
    options = {"camera": camera_for(method), "background": 30.0}
    found = deconvolve(flat, psf_for(flat.shape), method, **options).image
    np.testing.assert_allclose(found, 70, rtol=1e-3)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [(9, 15, 15), (15, 15)])
def test_light_of_an_object_within_the_image_is_kept(method, size):
    middle = np.zeros(size)
    middle[tuple(n // 2 for n in size)] = 1
    psf = gaussian_filter(middle, 1.5)
    truth = np.zeros((21, 60, 60)[-len(size) :])
    truth[(Ellipsis, slice(25, 35), slice(20, 30))] = 100
    if truth.ndim == 3:
        truth[:8], truth[13:] = 0, 0
    image = gaussian_filter(truth, 1.5, mode="constant")
    found = deconvolve(image, psf, method, camera=camera_for(method)).image
    assert found.sum() == pytest.approx(image.sum(), rel=0.02)


class TestFarLight:
    def test_what_falls_farther_stands_just_beyond_the_reach(self):
        data = np.arange(1.0, 12)[:, None, None] * np.ones((11, 3, 3))
        psf = Psf(data, VOXEL)
        found = folded(psf, (3, 8, 8))
        assert found.shape == (7, 3, 3)
        np.testing.assert_allclose(found.data[1:-1], psf.data[3:8], rtol=1e-6)
        np.testing.assert_allclose(found.data[0], psf.data[:3].sum(0), rtol=1e-5)
        np.testing.assert_allclose(found.data[-1], psf.data[8:].sum(0), rtol=1e-5)
        assert light_within(psf, (3, 8, 8)) == pytest.approx(30 / 66)

    @pytest.mark.parametrize("planes", [3, 5, 9])
    def test_the_share_in_focus_is_that_of_a_deep_psf(self, planes):
        """The sum over planes from geometry is that of a PSF computed to its depth."""
        deep = theoretical_psf(OPTICS, (93, 47, 47), VOXEL)
        for size in (2 * planes - 1, 2 * planes, 2 * planes + 5):
            psf = theoretical_psf(OPTICS, (size, 47, 47), VOXEL)
            found, _ = fit_psf(psf, (planes, *FIELD), VOXEL)
            in_focus = found.data[found.shape[0] // 2].sum()
            assert in_focus == pytest.approx(deep.data[46].sum(), rel=0.04)

    def test_other_psfs_have_no_cone(self):
        confocal = Optics(1.4, 1.515, 520, "confocal", excitation=488)
        for psf in (
            theoretical_psf(confocal, (9, 15, 15), VOXEL),
            theoretical_psf(OPTICS, (9, 15, 15), VOXEL, "gaussian"),
            Psf(np.ones((9, 15, 15)), VOXEL),
        ):
            assert with_far_light(psf, (5, 30, 30)) is psf

    def test_it_is_added_once(self):
        psf, _ = fit_psf(psf_for((5, *FIELD)), (5, *FIELD), VOXEL)
        again, notes = fit_psf(psf, (5, *FIELD), VOXEL)
        assert again is psf
        assert notes == ()

    def test_a_psf_too_shallow_for_the_stack_is_reported(self):
        psf = theoretical_psf(OPTICS, (11, 15, 15), VOXEL)
        fitted, notes = fit_psf(psf, (20, 30, 30), VOXEL)
        assert fitted is psf
        assert "11 planes, a widefield stack of 20 is lit over 39" in notes[0]
