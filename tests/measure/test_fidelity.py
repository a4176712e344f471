"""Fidelity against scikit-image, and what the intensity fit forgives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import exposure, metrics

from napari_blurgan.errors import DataError
from napari_blurgan.measure import (
    compare,
    correlation,
    equalized,
    fit_intensity,
    nrmse,
    paper_scores,
    psnr,
    ssim,
)

SHAPES = [(40, 50), (12, 24, 30), (15, 15, 16)]


def _images(
    shape: tuple[int, ...], seed: int = 0, noise: float = 0.3
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    reference = rng.random(shape).cumsum(axis=-1)
    return reference + noise * rng.normal(size=shape), reference


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("data_range", [None, 7.0])
def test_psnr_and_nrmse_equal_scikit_image(
    shape: tuple[int, ...], data_range: float | None
) -> None:
    result, reference = _images(shape)
    peak = np.ptp(reference) if data_range is None else data_range
    oracle = metrics.peak_signal_noise_ratio(reference, result, data_range=peak)
    assert psnr(result, reference, data_range) == pytest.approx(oracle, rel=1e-12)
    oracle = metrics.normalized_root_mse(reference, result)
    assert nrmse(result, reference) == pytest.approx(oracle, rel=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("noise", [0.1, 5.0])
@pytest.mark.parametrize(
    ("window", "options"),
    [
        ("uniform", {}),
        (
            "gaussian",
            {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False},
        ),
    ],
)
def test_ssim_equals_scikit_image(
    shape: tuple[int, ...], noise: float, window: str, options: dict[str, Any]
) -> None:
    result, reference = _images(shape, noise=noise)
    peak = float(np.ptp(reference))
    oracle = metrics.structural_similarity(
        reference, result, data_range=peak, **options
    )
    ours = ssim(result, reference, peak, window=window)
    assert ours == pytest.approx(oracle, rel=1e-9)
    assert ours < 0.999


@pytest.mark.parametrize("window", ["uniform", "gaussian"])
def test_ssim_takes_thin_stacks(window: str) -> None:
    """A single plane is compared as the image it is."""
    result, reference = _images((1, 40, 40))
    flat = ssim(result[0], reference[0], window=window)
    assert ssim(result, reference, window=window) == pytest.approx(flat, rel=0.03)
    four, truth = _images((4, 20, 20))
    assert 0 < ssim(four, truth, window=window) < 1


@settings(max_examples=50, deadline=None)
@given(
    gain=st.floats(1e-3, 1e3),
    offset=st.floats(-1e3, 1e3),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_fit_forgives_gain_and_offset(
    gain: float, offset: float, seed: int
) -> None:
    result, reference = _images((8, 9, 10), seed)
    plain = compare(result, reference)
    mapped = compare(gain * result + offset, reference)
    assert mapped.psnr_fitted == pytest.approx(plain.psnr_fitted, rel=1e-6)
    assert mapped.ssim_fitted == pytest.approx(plain.ssim_fitted, rel=1e-6)
    assert mapped.correlation == pytest.approx(plain.correlation, rel=1e-6)
    assert mapped.slope * gain == pytest.approx(plain.slope, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), noise=st.floats(1e-3, 20))
def test_the_fit_never_makes_it_worse_and_is_done_once(seed: int, noise: float) -> None:
    result, reference = _images((6, 8, 10), seed, noise)
    figures = compare(result, reference)
    assert figures.psnr_fitted >= figures.psnr - 1e-9
    once = fit_intensity(result, reference).image
    np.testing.assert_allclose(fit_intensity(once, reference).image, once, atol=1e-6)


def test_the_fit_solves_the_least_squares_problem() -> None:
    result, reference = _images((10, 20), noise=2.0)
    matrix = np.stack([result.ravel(), np.ones(result.size)], axis=1)
    slope, offset = np.linalg.lstsq(matrix, reference.ravel(), rcond=None)[0]
    fit = fit_intensity(result, reference)
    assert (fit.slope, fit.offset) == pytest.approx((slope, offset))


def test_the_fit_does_not_forgive_an_inverted_contrast() -> None:
    _, reference = _images((20, 20))
    figures = compare(-reference, reference)
    assert figures.slope == 0
    assert figures.correlation == pytest.approx(-1)
    assert figures.psnr_fitted == pytest.approx(figures.psnr_flat)


def test_a_black_image_meets_its_controls_and_no_more() -> None:
    """Sparse images flatter the empty one: the reason why controls are there."""
    reference = np.zeros((8, 32, 32))
    reference[4, 10:12] = 1.0
    figures = compare(np.zeros_like(reference), reference)
    assert figures.psnr == figures.psnr_black > 20
    assert figures.psnr_fitted == figures.psnr_flat > figures.psnr_black
    assert figures.correlation == 0


def test_an_equal_image_is_perfect() -> None:
    _, reference = _images((8, 9, 10))
    figures = compare(reference, reference)
    assert figures.psnr == np.inf
    assert figures.nrmse == 0
    assert (figures.ssim, figures.correlation) == pytest.approx((1.0, 1.0))
    assert (figures.slope, figures.offset) == pytest.approx((1.0, 0.0), abs=1e-9)
    assert figures.data_range == pytest.approx(np.ptp(reference))


def test_correlation_equals_numpy() -> None:
    result, reference = _images((10, 20), noise=3.0)
    oracle = np.corrcoef(result.ravel(), reference.ravel())[0, 1]
    assert correlation(result, reference) == pytest.approx(oracle)


def test_integers_are_compared_without_overflow() -> None:
    reference = np.array([[0, 255], [10, 20]], np.uint8)
    result = np.array([[255, 0], [10, 20]], np.uint8)
    assert psnr(result, reference) == pytest.approx(10 * np.log10(2))


def test_the_paper_scores_follow_the_printed_formulae() -> None:
    result, reference = _images((3, 6, 7), noise=1.0)
    x, y = ((i - i.min()) / np.ptp(i) for i in (result, reference))
    scores = paper_scores(result, reference)
    assert scores.psnr == pytest.approx(10 * np.log10(1 / np.mean((x - y) ** 2)))
    each = []
    for a, b in zip(x, y, strict=True):
        covariance = np.mean((a - a.mean()) * (b - b.mean()))
        upper = (2 * a.mean() * b.mean() + 1e-4) * (2 * covariance + 9e-4)
        lower = (a.mean() ** 2 + b.mean() ** 2 + 1e-4) * (a.var() + b.var() + 9e-4)
        each.append(upper / lower)
    assert scores.ssim == pytest.approx(np.mean(each))


@pytest.mark.parametrize("shape", [(3, 40, 36), (40, 36)])
def test_the_paper_scores_equalise_plane_by_plane(shape: tuple[int, ...]) -> None:
    result, reference = _images(shape, noise=1.0)
    level = []
    for image in (result, reference):
        unit = (image - image.min()) / np.ptp(image)
        planes = unit.reshape(-1, *shape[-2:])
        level.append(np.stack([exposure.equalize_adapthist(p) for p in planes]))
    scores = paper_scores(result, reference)
    error = np.mean((level[0] - level[1]) ** 2)
    assert scores.psnr_equalized == pytest.approx(10 * np.log10(1 / error))
    of_equalised = paper_scores(*level)
    assert scores.ssim_equalized == pytest.approx(of_equalised.ssim)
    assert scores.psnr_equalized < scores.psnr


def test_equalising_leaves_the_image_and_a_plane_without_contrast_alone() -> None:
    image = np.stack([np.full((16, 16), 0.3), np.eye(16)])
    before = image.copy()
    found = equalized(image)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(found[0], image[0])
    assert (found[1].min(), found[1].max()) == (0, 1)


@pytest.mark.parametrize(
    ("result", "reference", "message"),
    [
        (np.ones((4, 4)), np.ones((4, 5)), r"shape \(4, 4\), the reference \(4, 5\)"),
        (np.full((4, 4), np.nan), np.eye(4), "the result contains NaN"),
        (np.eye(4), np.full((4, 4), np.inf), "the reference contains NaN"),
        (np.eye(4), np.ones((4, 4)), "the data range is 0"),
        (np.ones((0, 4)), np.ones((0, 4)), "empty"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    result: np.ndarray, reference: np.ndarray, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        compare(result, reference)


def test_an_empty_reference_has_no_relative_error() -> None:
    with pytest.raises(DataError, match="zero everywhere"):
        nrmse(np.ones((4, 4)), np.zeros((4, 4)))
    with pytest.raises(DataError, match="constant"):
        paper_scores(np.ones((4, 4)), np.eye(4))
