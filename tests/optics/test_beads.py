"""PSFs from simulated beads, whose truth is known, and from beads gone wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_blurgan.errors import OpticsError
from napari_blurgan.identification.beads import detect_beads, psf_from_beads
from napari_blurgan.identification.gaussian_fit import fit_gaussian
from napari_blurgan.optics.models import Optics, vectorial
from napari_blurgan.optics.psf import Psf

pytestmark = pytest.mark.slow

VOXEL = (0.15, 0.065, 0.065)
SHAPE = (40, 128, 128)
PHOTONS = 100  # at the peak of a bead: a signal-to-noise ratio of 10
BACKGROUND = 10


@pytest.fixture(scope="module")
def truth() -> Psf:
    return vectorial(Optics(1.4, 1.515, 525), SHAPE, VOXEL)


def scene(
    psf: Psf,
    places: list[tuple[float, float, float]],
    brightness: list[float] | None = None,
    diameter: float = 0.0,
) -> np.ndarray:
    """Return beads anywhere between the voxels: exact, by phase ramps over the OTF."""
    frequencies = np.meshgrid(*[np.fft.fftfreq(n) for n in psf.shape], indexing="ij")
    spectrum = np.zeros(psf.shape, complex)
    for place, light in zip(places, brightness or [1.0] * len(places), strict=True):
        turns = sum(f * p for f, p in zip(frequencies, place, strict=True))
        spectrum += light * np.exp(-2j * np.pi * turns)
    if diameter:
        cycles = zip(frequencies, psf.voxel_size, strict=True)
        a = np.pi * diameter * np.sqrt(sum((f / v) ** 2 for f, v in cycles))
        a[0, 0, 0] = 1e-3
        spectrum *= 3 * (np.sin(a) - a * np.cos(a)) / a**3
    otf = np.fft.fftn(np.fft.ifftshift(psf.data.astype(float)))
    return np.maximum(np.fft.ifftn(otf * spectrum).real, 0)


def lattice(
    rng: np.random.Generator, play: Any = 2.0
) -> list[tuple[float, float, float]]:
    """Return 16 places well apart, none on a voxel."""
    at = [(20, 16 + 32 * i, 16 + 32 * j) for i in range(4) for j in range(4)]
    return [tuple(np.add(p, rng.uniform(-play, play, 3))) for p in at]


def photographed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    scaled = PHOTONS * image / image.max() + BACKGROUND
    return rng.poisson(scaled).astype(np.uint16)


@pytest.mark.parametrize("diameter", [0.0, 0.1, 0.17])
def test_width_within_three_percent_at_a_signal_to_noise_ratio_of_ten(
    truth: Psf, diameter: float
) -> None:
    rng = np.random.default_rng(0)
    image = photographed(scene(truth, lattice(rng), diameter=diameter), rng)
    psf, report = psf_from_beads(image, VOXEL, diameter)
    assert len(report.good) == 16
    np.testing.assert_allclose(report.fwhm, truth.fwhm(), rtol=0.03)
    np.testing.assert_allclose(psf.fwhm(), truth.fwhm(), rtol=0.03)
    assert psf.ncc(truth.cropped(psf.shape)) > 0.99
    assert all(0 < s < 0.1 * w for s, w in zip(report.spread, report.fwhm, strict=True))


def test_leaving_the_bead_in_would_be_seen(truth: Psf) -> None:
    rng = np.random.default_rng(0)
    image = photographed(scene(truth, lattice(rng), diameter=0.17), rng)
    _, report = psf_from_beads(image, VOXEL)
    assert report.fwhm[2] > 1.05 * truth.fwhm()[2]


def test_beads_are_found_where_they_are(truth: Psf) -> None:
    rng = np.random.default_rng(1)
    places = lattice(rng)
    image = photographed(scene(truth, places), rng)
    _, report = psf_from_beads(image, VOXEL)
    found = np.array(sorted(bead.centre for bead in report.good))
    for place in places:
        assert abs(found - place).max(axis=1).min() < 0.4
    assert len(detect_beads(image)) == 16


def test_the_psf_is_centred_and_tells_its_story(truth: Psf) -> None:
    rng = np.random.default_rng(2)
    image = photographed(scene(truth, lattice(rng)), rng)
    psf, _ = psf_from_beads(image, VOXEL, 0.1, shape=(17, 21, 21))
    assert psf.shape == (17, 21, 21)
    assert psf.voxel_size == VOXEL
    assert psf.provenance["verdicts"] == {"good": 16}
    assert psf.provenance["bead_diameter"] == 0.1
    again = psf.centred().provenance["centred"]["shift"]
    assert abs(np.array(again)).max() < 0.02


def test_bad_beads_are_named_and_stop_nothing(truth: Psf) -> None:
    rng = np.random.default_rng(3)
    places = lattice(rng)
    close = tuple(np.add(places[5], (0, 0, 9)))
    cut = (20.0, 50.0, 2.0)
    image = scene(truth, [*places, close, cut], [*[1.0] * 17, 1.0])
    fat = np.add.outer(np.arange(-3, 4) ** 2, np.arange(-3, 4) ** 2) < 12
    image[16:24, 61:68, 61:68] += 0.5 * image.max() * fat
    counts = photographed(image, rng)
    counts[20, 33, 33] = 4000  # a hot pixel
    _, report = psf_from_beads(counts, VOXEL)
    assert report.verdicts["too close to another"] == 2
    assert report.verdicts["cut by the edge"] == 1
    assert len(report.good) >= 12
    fat_one = min(
        report.beads, key=lambda b: np.abs(np.subtract(b.centre, (20, 64, 64))).max()
    )
    assert fat_one.verdict == "odd width"
    np.testing.assert_allclose(report.fwhm, truth.fwhm(), rtol=0.04)


@pytest.mark.parametrize("top", [255, 150])
def test_saturated_beads_are_left_out(truth: Psf, top: int) -> None:
    rng = np.random.default_rng(4)
    brightness = [1.0] * 12 + [3.0] * 4
    image = scene(truth, lattice(rng), brightness)
    counts = rng.poisson(300 * image / image.max() + BACKGROUND)
    _, report = psf_from_beads(np.minimum(counts, top).astype(np.uint8), VOXEL)
    assert report.verdicts == {"good": 12, "saturated": 4}


def test_when_no_bead_serves_the_error_says_why(truth: Psf) -> None:
    image = photographed(scene(truth, [(20, 64, 64)]), np.random.default_rng(5))
    image = image[:, :, 60:]
    with pytest.raises(OpticsError, match=r"1 cut by the edge.*smaller shape"):
        psf_from_beads(image, VOXEL, shape=(9, 21, 21))


def test_one_bead_is_enough(truth: Psf) -> None:
    rng = np.random.default_rng(6)
    image = rng.poisson(
        100 * PHOTONS * scene(truth, [(20.3, 64.2, 63.6)]) / truth.data.max()
    )
    psf, report = psf_from_beads(image, VOXEL)
    np.testing.assert_allclose(psf.fwhm(), truth.fwhm(), rtol=0.02)
    assert np.isnan(report.spread).all()
    assert psf.provenance["spread"] is None


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.ones((8, 9)), "volume"),
        (np.full((8, 9, 9), np.nan), "NaN"),
        (np.ones((8, 9, 9)), "is constant"),
        (np.eye(9)[None, :, :] * np.eye(9)[:, :1, None], "no spot|none of"),
    ],
)
def test_images_without_beads_are_refused(image: np.ndarray, message: str) -> None:
    with pytest.raises(OpticsError, match=message):
        psf_from_beads(image, VOXEL)


def test_a_diameter_in_nanometres_is_refused(truth: Psf) -> None:
    image = scene(truth, [(20, 64, 64)])
    with pytest.raises(OpticsError, match="micrometres"):
        psf_from_beads(image, VOXEL, 100.0)


@pytest.mark.parametrize("seed", range(6))
def test_noise_and_junk_end_in_a_psf_or_a_clear_error(seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.gamma(0.3, 10, (16, 32, 32)) ** rng.integers(1, 4)
    try:
        psf, report = psf_from_beads(image, VOXEL)
    except OpticsError:
        return
    assert isinstance(psf, Psf)
    assert report.good


def test_fit_finds_a_gaussian_between_the_voxels() -> None:
    z, y, x = np.indices((15, 16, 17))
    width = np.array([4.0, 3.0, 5.0])
    squares = sum(
        ((a - c) / w) ** 2
        for a, c, w in zip((z, y, x), (7.3, 8.1, 7.8), width, strict=True)
    )
    fit = fit_gaussian(5 * np.exp(-4 * np.log(2) * squares), (7, 8, 8), (3, 3, 3))
    np.testing.assert_allclose(fit.centre, (7.3, 8.1, 7.8), atol=1e-4)
    np.testing.assert_allclose(fit.fwhm, width, rtol=1e-4)
    assert fit.amplitude == pytest.approx(5)


def test_fit_finds_no_peak_where_there_is_none() -> None:
    assert fit_gaussian(np.zeros((9, 9, 9)), (4, 4, 4), (3, 3, 3)) is None
    slope = np.broadcast_to(np.arange(1.0, 10), (9, 9, 9))
    fit = fit_gaussian(slope, (4, 4, 4), (3, 3, 3))
    assert fit is None or fit.fwhm[2] > 6


def test_only_the_beads_next_to_some_places(truth: Psf) -> None:
    rng = np.random.default_rng(3)
    places = lattice(rng)
    image = photographed(scene(truth, places), rng)
    beside = [tuple(np.add(places[i], (9, 2, -2))) for i in (5, 10)]  # at another depth
    _, report = psf_from_beads(image, VOXEL, places=[*beside, (20, 0, 0)])
    found = np.array([bead.centre for bead in report.beads])
    np.testing.assert_allclose(found, [places[5], places[10]], atol=0.5)


def test_places_without_beads_are_refused(truth: Psf) -> None:
    rng = np.random.default_rng(3)
    image = photographed(scene(truth, lattice(rng)), rng)
    with pytest.raises(OpticsError, match="no beads were found"):
        psf_from_beads(image, VOXEL, places=[(20, 32, 32)])
