"""Two images with independent noise out of one."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan.errors import DataError
from napari_blurgan.measure.splitting import (
    binomial_split,
    checkerboard_split,
    split_counts,
)


def test_the_parts_are_independent_counts_that_sum_to_the_whole() -> None:
    rng = np.random.default_rng(0)
    counts = rng.poisson(20, 100_000).astype(float)
    first, second = split_counts(counts, 0.25, rng)
    np.testing.assert_array_equal(first + second, counts)
    assert first.mean() == pytest.approx(5, rel=0.02)
    assert first.var() == pytest.approx(5, rel=0.02)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.02


def test_read_noise_does_not_correlate_the_halves() -> None:
    rng = np.random.default_rng(1)
    electrons = rng.poisson(50, (300, 300)) + rng.normal(0, 3, (300, 300))
    grey = 100 + 2 * electrons
    halves = binomial_split(grey, gain=2, offset=100, read_noise=3, seed=0)
    assert abs(np.corrcoef(*(h.ravel() for h in halves))[0, 1]) < 0.02


@pytest.mark.parametrize(
    ("image", "gain", "message"),
    [
        (np.full((8, 8), np.nan), 1.0, "NaN"),
        (np.ones((8, 8)), 0.0, "gain must be positive"),
        (np.ones((8, 8)), 1.0, "below the offset"),
    ],
)
def test_what_is_not_made_of_counts_is_refused(
    image: np.ndarray, gain: float, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        binomial_split(image, gain=gain, offset=50, seed=0)


def test_both_halves_of_a_smooth_image_are_alike() -> None:
    y, x = np.indices((64, 64))
    image = np.sin(2 * np.pi * y / 32) * np.cos(2 * np.pi * x / 16)
    first, second = checkerboard_split(image)
    assert first.shape == second.shape == (32, 32)
    np.testing.assert_allclose(first, second, atol=1e-6)
    with pytest.raises(DataError, match="too small"):
        checkerboard_split(image[:7])
