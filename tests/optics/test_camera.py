"""Camera noise against theory, and the simulation of an image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve

from napari_blurgan.errors import DataError, OpticsError
from napari_blurgan.optics.camera import Camera, paper_noise
from napari_blurgan.optics.simulation import blur, margin_for, simulate

SAMPLES = 200_000


def test_a_read_noise_of_minus_zero_is_none() -> None:
    images = [Camera(80.0, noise).expose(np.ones(9), 0) for noise in (0.0, -0.0)]
    np.testing.assert_array_equal(*images)


@pytest.mark.parametrize("level", [0.0, 0.05, 1.0])
def test_mean_and_variance_follow_theory(level: float) -> None:
    camera = Camera(photons=80.0, read_noise=2.0, gain=0.5, offset=100.0)
    image = camera.expose(np.full(SAMPLES, level), seed=0)
    mean = 100 + 0.5 * 80 * level
    variance = 0.25 * (80 * level + 4)
    # Five standard errors of the mean and of the variance.
    assert image.mean() == pytest.approx(mean, abs=5 * np.sqrt(variance / SAMPLES))
    assert image.var() == pytest.approx(variance, rel=5 * np.sqrt(3 / SAMPLES))


@pytest.mark.parametrize("level", [0.4, 0.6])
def test_the_paper_noise_has_its_mean_and_variance(level: float) -> None:
    image = paper_noise(np.full(SAMPLES, level), seed=0, peak=1.0)
    grey = 255 * level
    assert image.mean() == pytest.approx(grey, abs=5 * np.sqrt(7 * grey / SAMPLES))
    # Seven grey levels a photon, and the Gaussian before the count.
    assert image.var() == pytest.approx(7 * grey + 9, rel=0.02)


def test_the_paper_noise_counts_in_sevens_up_to_255() -> None:
    image = paper_noise(np.linspace(0, 1, 10_000), seed=0)
    assert image.max() == 255
    assert set(np.unique(image)) <= {*range(0, 255, 7), 255}


def test_the_paper_noise_rectifies_the_dark() -> None:
    """Where there is nothing, only the positive half of the Gaussian is counted."""
    dark = paper_noise(np.zeros(SAMPLES), seed=0, peak=1.0)
    assert dark.mean() == pytest.approx(3 / np.sqrt(2 * np.pi), rel=0.05)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_the_same_seed_gives_the_same_noise(seed: int) -> None:
    image = np.linspace(0, 1, 500)
    for camera in (Camera().expose, paper_noise):
        first = camera(image, seed)
        np.testing.assert_array_equal(first, camera(image, seed))
        assert not np.array_equal(first, camera(image, seed + 1))


@pytest.mark.parametrize(
    "wrong", [{"photons": 0}, {"gain": -1}, {"read_noise": -1}, {"offset": np.nan}]
)
def test_impossible_cameras_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(OpticsError, match=f"{next(iter(wrong))} must be from"):
        Camera(**wrong)


def test_unusable_images_are_refused() -> None:
    with pytest.raises(DataError, match="NaN"):
        Camera().expose([0.0, np.nan], seed=0)
    with pytest.raises(DataError, match="no positive value"):
        paper_noise(np.zeros((4, 4)), seed=0)


@given(
    sizes=st.lists(
        st.tuples(st.integers(5, 12), st.integers(1, 7)), min_size=2, max_size=3
    )
)
@settings(max_examples=30, deadline=None)
def test_a_blur_is_a_convolution_about_the_centre(sizes: Any) -> None:
    rng = np.random.default_rng(0)
    sharp = rng.random([n for n, _ in sizes]).astype(np.float32)
    psf = rng.random([k for _, k in sizes]).astype(np.float32)
    full = convolve(sharp.astype(float), psf.astype(float), method="direct")
    centre = tuple(slice(k // 2, k // 2 + n) for n, k in sizes)
    np.testing.assert_allclose(blur(sharp, psf), full[centre], rtol=1e-4, atol=1e-4)


def test_light_from_outside_the_field_falls_into_it() -> None:
    psf = np.full((3, 5, 5), 1 / 75, np.float32)
    sharp = np.zeros((6, 20, 20), np.float32)
    sharp[3, 10, 1] = 75.0
    margin = margin_for(psf)
    field, blurred = simulate(sharp, psf, seed=0, margin=margin)
    assert field.shape == blurred.shape == (4, 16, 16)
    assert not field.any()
    expected = np.zeros(field.shape)
    expected[1:4, 6:11, :2] = 1.0
    np.testing.assert_allclose(blurred, expected, atol=1e-4)


def test_planes_are_blurred_by_planar_psfs() -> None:
    sharp = np.zeros((9, 9), np.float32)
    sharp[4, 4] = 1
    psf = np.full((1, 3, 3), 1 / 9, np.float32)
    _, blurred = simulate(sharp, psf, seed=0)
    np.testing.assert_allclose(blurred[3:6, 3:6], 1 / 9, atol=1e-6)
    with pytest.raises(OpticsError, match="cannot be blurred"):
        blur(sharp, np.ones((3, 3, 3), np.float32))


def test_a_margin_larger_than_the_structure_is_refused() -> None:
    sharp = np.ones((4, 4, 4), np.float32)
    with pytest.raises(OpticsError, match="leaves nothing"):
        simulate(sharp, sharp, seed=0, margin=(2, 0, 0))


def test_the_camera_comes_last() -> None:
    sharp = np.ones((8, 8, 8), np.float32)
    psf = np.ones((1, 1, 1), np.float32)
    camera = Camera(photons=50)
    _, blurred = simulate(sharp, psf, seed=3, camera=camera.expose)
    np.testing.assert_array_equal(blurred, camera.expose(blur(sharp, psf), 3))
