"""The fit of one Gaussian."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan.identification.gaussian_fit import fit_gaussian

FWHM = 2 * np.sqrt(2 * np.log(2))


def peak(centre: tuple[float, ...], sigma: tuple[float, ...]) -> np.ndarray:
    grid = np.indices((17, 19, 21)).astype(float)
    terms = ((g - c) ** 2 / s**2 for g, c, s in zip(grid, centre, sigma, strict=True))
    return 500 * np.exp(-sum(terms) / 2)


def test_centre_and_widths_are_found_under_noise() -> None:
    clean = peak((8.3, 9.0, 10.4), (2.0, 1.5, 1.2))
    noisy = np.random.default_rng(0).poisson(clean).astype(float)
    found = fit_gaussian(noisy, (8.0, 9.0, 10.0), (4.0, 4.0, 4.0))
    assert found is not None
    np.testing.assert_allclose(found.centre, (8.3, 9.0, 10.4), atol=0.05)
    np.testing.assert_allclose(found.fwhm, FWHM * np.array([2.0, 1.5, 1.2]), rtol=0.08)
    assert found.amplitude == pytest.approx(500, rel=0.05)


def test_what_is_no_peak_is_not_fitted() -> None:
    assert fit_gaussian(np.zeros((17, 19, 21)), (8, 9, 10), (4, 4, 4)) is None
