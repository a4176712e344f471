"""Zeros, negatives, saturation, NaN, every dtype, constants, impossible PSFs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_blurgan.classical.accelerated import accelerated_richardson_lucy
from napari_blurgan.classical.blind import blind_richardson_lucy
from napari_blurgan.classical.gradient_consensus import gradient_consensus
from napari_blurgan.classical.images import deconvolve
from napari_blurgan.classical.methods import METHODS
from napari_blurgan.classical.richardson_lucy import richardson_lucy
from napari_blurgan.errors import AxesError, DataError, OpticsError, RecipeError
from napari_blurgan.inverse.result import Deconvolution
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.simulation import blur

CAMERA = Camera(gain=1.0, offset=0.0, read_noise=0.0)
QUICK = {"iterations": 3}


def psf(shape: tuple[int, ...] = (3, 5, 5)) -> Psf:
    axes = [np.arange(n) - n // 2 for n in shape]
    grids = np.meshgrid(*axes, indexing="ij")
    return Psf(np.exp(-0.5 * sum(g**2 for g in grids)), (0.2, 0.1, 0.1))


def image(dtype: type = float, shape: tuple[int, ...] = (6, 12, 13)) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 100, shape).astype(dtype)


def run(
    name: str, pixels: np.ndarray, kernel: np.ndarray | None = None, **options: Any
) -> Deconvolution:
    """Any method on an image, as quickly as it can."""
    method = METHODS[name]
    quick = QUICK if method.iterative else {}
    given = psf() if kernel is None else kernel
    return method.function(pixels, given, **quick, camera=CAMERA, **options)


@pytest.mark.parametrize("name", METHODS)
class TestEveryMethod:
    def test_zeros_give_zeros(self, name: str) -> None:
        result = run(name, np.zeros((6, 12, 13))).image
        assert np.abs(result).max() < 1e-6

    def test_a_constant_stays_one(self, name: str) -> None:
        result = run(name, np.full((6, 12, 13), 7.0), edges="periodic").image
        # The halves of Gradient Consensus are drawn: constant but for counting noise.
        if name == "rlgc":
            assert abs(result.mean() - 7) < 1e-3
        else:
            np.testing.assert_allclose(result, 7, rtol=1e-4)

    def test_shape_and_type(self, name: str) -> None:
        for shape in ((6, 12, 13), (1, 12, 13), (12, 13)):
            result = run(name, image(shape=shape))
            assert result.image.shape == shape
            assert result.image.dtype == np.float32
            assert np.isfinite(result.image).all()

    @pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
    def test_what_is_no_number_is_refused(self, name: str, bad: float) -> None:
        pixels = image()
        pixels[0, 0, 0] = bad
        with pytest.raises(DataError, match="1 of 936 voxels are NaN"):
            run(name, pixels)

    def test_the_input_is_left_alone(self, name: str) -> None:
        pixels = image(np.float32)
        before = pixels.copy()
        run(name, pixels)
        np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "uint16", ">u2", "int32", "uint64", "f2", "f4", ">f8"]
)
def test_every_type_gives_the_same(dtype: str) -> None:
    pixels = image() > 50 if dtype == "bool" else image()
    expected = richardson_lucy(pixels.astype(float), psf(), 3).image
    result = richardson_lucy(pixels.astype(dtype), psf(), 3).image
    np.testing.assert_array_equal(result, expected)


def test_complex_and_empty_images_are_refused() -> None:
    with pytest.raises(DataError, match="real numbers"):
        richardson_lucy(image(complex), psf())
    with pytest.raises(DataError, match="empty"):
        richardson_lucy(np.zeros((0, 5, 5)), psf())
    with pytest.raises(AxesError, match=r"\(2, 6, 12, 13\)"):
        richardson_lucy(np.ones((2, 6, 12, 13)), psf())


def test_negative_values_count_as_zero_and_are_noted() -> None:
    pixels = image()
    pixels[2] -= 200
    result = richardson_lucy(pixels, psf(), 3)
    np.testing.assert_array_equal(
        result.image, richardson_lucy(pixels.clip(0), psf(), 3).image
    )
    assert any("16.7% of the voxels are negative" in note for note in result.notes)


def test_saturated_pixels_are_noted() -> None:
    pixels = image(np.uint8)
    pixels[0] = 255
    notes = richardson_lucy(pixels, psf(), 3).notes
    assert any("16.7% of the voxels are saturated (at 255)" in note for note in notes)
    others = richardson_lucy(image(np.uint8), psf(), 3).notes
    assert not any("saturated" in note for note in others)


def test_an_image_below_its_background_turns_dark() -> None:
    result = richardson_lucy(image(), psf(), 20, background=500.0).image
    assert 0 <= result.min() <= result.max() < 1e-3


def test_a_background_is_modelled_not_returned() -> None:
    truth = np.zeros((6, 12, 13), np.float32)
    truth[3, 6, 6] = 1000
    seen = blur(truth, psf().data) + 100
    result = accelerated_richardson_lucy(seen, psf(), 60, background=100).image
    # All of the background would be 94 times the bead.
    assert abs(result.sum() / truth.sum() - 1) < 0.1
    assert result[3, 6, 6] > 0.8 * truth.max()


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (np.zeros((3, 3, 3)), "zero everywhere"),
        (-np.ones((3, 3, 3)), "negative"),
        (np.where(np.eye(3)[None] > 0, 1.0, -0.1), "negative"),
        (np.full((3, 3, 3), np.nan), "NaN"),
        (np.ones(5), "z, y, x"),
    ],
)
def test_an_impossible_psf_is_refused(kernel: np.ndarray, message: str) -> None:
    with pytest.raises(OpticsError, match=message):
        richardson_lucy(image(), kernel)


def test_a_delta_changes_nothing() -> None:
    delta = np.zeros((3, 3, 3))
    delta[1, 1, 1] = 1
    pixels = image() + 1
    result = richardson_lucy(pixels, delta, 2).image
    np.testing.assert_allclose(result, pixels, rtol=1e-4)


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(DataError, match="from 1 to 10000"):
        richardson_lucy(image(), psf(), 0)
    with pytest.raises(DataError, match="the start has shape"):
        richardson_lucy(image(), psf(), 1, start=np.ones((3, 3)))
    with pytest.raises(DataError, match="gain, offset and read noise"):
        gradient_consensus(image(), psf())
    with pytest.raises(DataError, match="no stopping rule"):
        blind_richardson_lucy(image(), psf(), stop="change")
    with pytest.raises(DataError, match="weight must be from 0 to"):
        deconvolve(image(), psf(), "rl-tv", weight=1.0)
    with pytest.raises(DataError, match="noise must be from 1e-06"):
        deconvolve(image(), psf(), "wiener", noise=0.0)
    with pytest.raises(RecipeError, match="no method 'gold'"):
        deconvolve(image(), psf(), "gold")


def test_intensities_of_any_scale() -> None:
    """What is done to an image depends on its contrast, not on its unit."""
    pixels = image() + 1
    for method in (richardson_lucy, accelerated_richardson_lucy):
        usual = method(pixels, psf(), 10).image
        for scale in (1e-12, 1e12):
            scaled = method(pixels * scale, psf(), 10).image
            np.testing.assert_allclose(scaled / scale, usual, rtol=1e-3, atol=1e-2)


@pytest.fixture(scope="module")
def sparse() -> tuple[np.ndarray, np.ndarray]:
    truth = np.zeros((24, 64, 64), np.float32)
    truth[10, 20, 20] = truth[14, 44, 40] = 3e4
    truth = gaussian_filter(truth, (1, 1.2, 1.2))
    middle = np.zeros((9, 15, 15))
    middle[4, 7, 7] = 1
    kernel = gaussian_filter(middle, 1.5)
    seen = gaussian_filter(truth, 1.5, mode="constant") + 100
    return np.random.default_rng(0).poisson(seen), kernel


class TestBackgroundAboveTheMean:
    """A sparse image on a background: half of a grey level too much must not hurt."""

    @pytest.mark.parametrize("by", ["background", "offset"])
    @pytest.mark.parametrize("method", ["rl", "rl-accelerated", "rl-tv", "rl-blind"])
    def test_the_peak_hardly_changes_and_it_is_said(
        self, sparse: tuple[np.ndarray, np.ndarray], method: str, by: float
    ) -> None:
        pixels, kernel = sparse
        peaks = {}
        for level in (100, 101, 102, 105):
            camera = Camera(gain=1.0, offset=level, read_noise=1.0)
            options: dict[str, Any] = (
                {"camera": camera} if by == "offset" else {"background": level}
            )
            result = deconvolve(pixels, kernel, method, **options)
            peaks[level] = result.image.max()
            said = [n for n in result.notes if "above the mean of the image" in n]
            assert bool(said) == (level > pixels.mean())
            if said:
                assert f"{level:g}" in said[0]
                assert f"{pixels.mean():.5g}" in said[0]
        assert min(peaks.values()) > 0.5 * peaks[100]

    def test_nothing_is_left_of_an_image_below_its_background(self) -> None:
        notes = richardson_lucy(image(), psf(), 3, background=500.0).notes
        assert any("500 lies above the brightest voxel, 99" in note for note in notes)

    def test_planes_too(self, sparse: tuple[np.ndarray, np.ndarray]) -> None:
        pixels, kernel = sparse
        result = deconvolve(pixels[12], kernel[4], "rl", background=105)
        assert any("above the mean of the image" in note for note in result.notes)


@pytest.mark.parametrize("scale", [1e-36, 1e-30, 1e20, 1e27])
@pytest.mark.parametrize("method", [name for name in METHODS if name != "rlgc"])
def test_large_and_small_values_do_not_leave_float32(method: str, scale: float) -> None:
    pixels = image() + 1
    usual = deconvolve(pixels, psf(), method).image
    found = deconvolve((pixels * scale).astype(np.float32), psf(), method).image
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found / scale, usual, rtol=2e-2, atol=0.5)


def test_more_photons_than_there_are_is_a_wrong_gain() -> None:
    with pytest.raises(DataError, match="photo-electrons: check the gain"):
        richardson_lucy(image() * 1e20, psf(), 3, camera=CAMERA)
