"""Resolution on images whose answer is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from napari_blurgan.errors import DataError
from napari_blurgan.measure import (
    binomial_split,
    checkerboard_split,
    decorrelation,
    frc,
    fsc,
    sectioned_fsc,
)
from napari_blurgan.measure.resolution import half_bit
from napari_blurgan.optics.camera import Camera

PIXEL = (0.1, 0.1)


def _radius(
    shape: tuple[int, ...], scale: tuple[float, ...] | None = None
) -> np.ndarray:
    scale = scale or (1.0,) * len(shape)
    lines = [np.fft.fftfreq(n) * s for n, s in zip(shape, scale, strict=True)]
    return np.sqrt(sum(f**2 for f in np.ix_(*lines)))


def _structure(
    shape: tuple[int, ...], sigma: tuple[float, ...], seed: int = 0
) -> np.ndarray:
    """White structure of unit density, blurred by a Gaussian of `sigma` voxels."""
    white = np.random.default_rng(seed).normal(size=shape)
    otf = np.exp(-2 * np.pi**2 * _radius(shape, sigma) ** 2)
    return np.fft.ifftn(np.fft.fftn(white) * otf).real


def _exposures(
    structure: np.ndarray, noise: float, seed: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    one, other = rng.normal(size=(2, *structure.shape))
    return structure + noise * one, structure + noise * other


def _known(sigma: float, noise: float, level: float = 1 / 7) -> float:
    """Where |OTF|² / (|OTF|² + noise²) falls to `level`, in voxels."""
    return 2 * np.pi * sigma / np.sqrt(np.log((1 / level - 1) / noise**2))


@pytest.mark.parametrize("sigma", [1.5, 2.5, 4.0])
@pytest.mark.parametrize("noise", [0.01, 0.05])
def test_frc_finds_the_known_resolution(sigma: float, noise: float) -> None:
    structure = _structure((256, 256), (sigma, sigma))
    found = frc(*_exposures(structure, noise), PIXEL)
    assert found.value == pytest.approx(0.1 * _known(sigma, noise), rel=0.1)
    assert found.note == ""


def test_the_ring_correlation_follows_theory() -> None:
    structure = _structure((256, 256), (2.0, 2.0))
    found = frc(*_exposures(structure, 0.05), PIXEL)
    otf = np.exp(-2 * (np.pi * 0.2 * found.frequency) ** 2)
    theory = otf**2 / (otf**2 + 0.05**2)
    assert np.abs(found.correlation - theory).max() < 0.2
    assert np.abs(found.correlation - theory).mean() < 0.03


def test_frc_is_in_micrometres_whatever_the_pixels_are() -> None:
    """The same object on pixels that are oblong."""
    structure = _structure((128, 256), (1.5, 3.0))
    found = frc(*_exposures(structure, 0.02), (0.2, 0.1))
    assert found.value == pytest.approx(0.1 * _known(3.0, 0.02), rel=0.1)


def _known_in_section(
    angles: tuple[float, float], sigmas: tuple[float, float], noise: float
) -> float:
    """The same, averaged over the directions between two angles from z."""
    angle = np.radians(np.linspace(*angles, 200))
    sigma = np.hypot(sigmas[0] * np.cos(angle), sigmas[1] * np.sin(angle))
    frequency = np.linspace(0.01, 5, 2000)[:, None]
    power = np.exp(-((2 * np.pi * sigma * frequency) ** 2))
    power = np.average(power, axis=1, weights=np.sin(angle))
    return 1 / frequency[np.argmax(power / (power + noise**2) < 1 / 7), 0]


def test_sectioned_fsc_tells_axial_from_lateral() -> None:
    """σ = 0.5 µm along z and 0.2 µm across; voxels of 0.25 and 0.1 µm."""
    structure = _structure((64, 96, 96), (2.0, 2.0, 2.0))
    sections = sectioned_fsc(*_exposures(structure, 0.02), (0.25, 0.1, 0.1))
    assert [s.angles for s in sections][::5] == [(0.0, 15.0), (75.0, 90.0)]
    axial, lateral = sections[0].resolution, sections[-1].resolution
    for section in sections:
        known = _known_in_section(section.angles, (0.5, 0.2), 0.02)
        # Few coefficients lie near the axis: seeds 0 to 11 spread by 11 %.
        assert section.resolution.value == pytest.approx(known, rel=0.12)
    assert axial.value > 1.8 * lateral.value


def test_fsc_of_an_isotropic_volume() -> None:
    structure = _structure((64, 64, 64), (2.0, 2.0, 2.0))
    found = fsc(*_exposures(structure, 0.02), (0.1, 0.1, 0.1))
    assert found.value == pytest.approx(0.1 * _known(2.0, 0.02), rel=0.1)


def test_the_half_bit_curve_has_its_published_values() -> None:
    assert half_bit(1e12) == pytest.approx(0.1716, abs=1e-4)
    assert half_bit(1) == pytest.approx(1.0, abs=1e-3)
    structure = _structure((256, 256), (2.0, 2.0))
    exposures = _exposures(structure, 0.05)
    strict = frc(*exposures, PIXEL, threshold="half-bit")
    assert strict.value > frc(*exposures, PIXEL).value


def test_noise_alone_has_no_resolution() -> None:
    for first, second in (_exposures(np.zeros((64, 64)), 1.0, s) for s in range(20)):
        found = frc(first, second, PIXEL)
        assert found.value is None
        assert "share no structure" in found.note


def test_equal_images_reach_the_limit_of_the_sampling() -> None:
    image = _structure((64, 64), (1.0, 1.0))
    found = frc(image, image, PIXEL)
    assert found.value is None
    assert "no crossing up to" in found.note


def _counts(
    photons: float, read_noise: float, seed: int = 0
) -> tuple[Camera, np.ndarray, np.ndarray]:
    """A raw image, and its noise-free electrons: structure amid a dark background."""
    bright = np.clip(1 + 6 * _structure((256, 256), (2.5, 2.5)), 0, None)
    camera = Camera(photons=photons, gain=0.6, offset=100, read_noise=read_noise)
    raw = camera.expose(bright, seed)
    return camera, bright, raw


@pytest.mark.parametrize(("photons", "read_noise"), [(20.0, 0.0), (20.0, 3.0)])
def test_the_halves_of_an_image_agree_with_two_exposures(
    photons: float, read_noise: float
) -> None:
    """Two exposures of half the light, and half the variance of the read noise."""
    camera, bright, raw = _counts(photons, read_noise)
    half = Camera(photons / 2, read_noise / np.sqrt(2), camera.gain, camera.offset)
    truth = frc(half.expose(bright, 1), half.expose(bright, 2), PIXEL)
    halves = binomial_split(raw, gain=0.6, offset=100, read_noise=read_noise, seed=3)
    found = frc(*halves, PIXEL)
    assert found.value == pytest.approx(truth.value, rel=0.1)


def test_the_noise_of_the_halves_is_independent() -> None:
    flat = Camera(50.0, 2.0, 0.6, 100.0).expose(np.ones((400, 400)), 0)
    first, second = binomial_split(flat, gain=0.6, offset=100, read_noise=2.0, seed=1)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 5 / 400
    silent = binomial_split(flat, gain=0.6, offset=100, seed=1)
    # Read noise that is not said is shared: r² / (2 photons + r²).
    shared = np.corrcoef(*[half.ravel() for half in silent])[0, 1]
    assert shared == pytest.approx(4 / 104, abs=5 / 400)


def test_the_halves_are_the_whole() -> None:
    _, _, raw = _counts(50.0, 0.0)
    first, second = binomial_split(raw, gain=0.6, offset=100, seed=0)
    np.testing.assert_allclose(first + second, np.rint((raw - 100) / 0.6), atol=1e-6)
    again = binomial_split(raw, gain=0.6, offset=100, seed=0)
    np.testing.assert_array_equal(first, again[0])


@pytest.mark.parametrize("sigma", [3.0, 4.0])
def test_checkerboards_find_what_a_quarter_of_the_pixels_shows(sigma: float) -> None:
    structure = _structure((512, 512), (sigma, sigma))
    image = _exposures(structure, 0.02)[0]
    found = frc(*checkerboard_split(image), (0.2, 0.2))
    # One pixel of four: four times the noise for the same structure.
    assert found.value == pytest.approx(0.1 * _known(sigma, 0.04), rel=0.1)


def test_checkerboards_lie_on_each_other() -> None:
    y, x = np.mgrid[:64, :64]
    wave = np.cos(2 * np.pi * (3 * y + 5 * x) / 64)
    first, second = checkerboard_split(np.stack([wave, wave]))
    assert first.shape == (2, 32, 32)
    np.testing.assert_allclose(first, second, atol=1e-10)


@pytest.mark.parametrize("cutoff", [0.15, 0.25, 0.35])
@pytest.mark.parametrize("noise", [0.01, 0.3])
def test_decorrelation_finds_a_sharp_cutoff(cutoff: float, noise: float) -> None:
    rng = np.random.default_rng(0)
    spectrum = np.fft.fft2(rng.normal(size=(256, 256)))
    structure = np.fft.ifft2(spectrum * (_radius((256, 256)) < cutoff)).real
    image = structure / structure.std() + noise * rng.normal(size=structure.shape)
    found = decorrelation(image, PIXEL)
    assert found.value == pytest.approx(0.1 / cutoff, rel=0.05)


def test_decorrelation_follows_the_blur_and_the_noise() -> None:
    def value(sigma: Any, noise: float) -> Any:
        structure = _structure((256, 256), (sigma, sigma))
        return decorrelation(_exposures(structure, noise)[0], PIXEL)

    assert value(4.0, 0.02).value > 1.3 * value(2.0, 0.02).value
    assert value(2.0, 0.01).peak > value(2.0, 0.05).peak > 0


def test_decorrelation_of_noise_alone_is_none() -> None:
    noise = np.random.default_rng(0).normal(size=(256, 256))
    found = decorrelation(noise, PIXEL)
    assert found.value is None
    assert "no peak" in found.note


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (frc, (np.eye(8), np.eye(8), PIXEL), "too small for a resolution"),
        (frc, (np.eye(32), np.eye(33), PIXEL), "have the shapes"),
        (frc, (np.ones((32, 32)),) * 2 + (PIXEL,), "constant"),
        (frc, (np.eye(32), np.eye(32), (0.1,)), "2 voxel sizes"),
        (fsc, (np.eye(32), np.eye(32), (0.1,) * 3), "a 3D image is needed"),
        (fsc, (np.ones((4, 32, 32)),) * 2 + ((0.1,) * 3,), "8 planes"),
        (checkerboard_split, (np.eye(6),), "too small to be split"),
    ],
)
def test_what_has_no_resolution_is_refused(
    function: Callable[..., Any],
    arguments: tuple[np.ndarray | tuple[float, ...], ...],
    message: str,
) -> None:
    with pytest.raises(DataError, match=message):
        function(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gain": 0.0, "offset": 0.0}, "gain must be positive"),
        ({"gain": 1.0, "offset": 100.0}, "most of the image lies below the offset"),
    ],
)
def test_impossible_counts_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        binomial_split(np.full((8, 8), 10.0), seed=0, **options)
