"""Thresholds from the histogram alone."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan.content.histogram import otsu, triangle
from napari_blurgan.errors import DataError

RNG = np.random.default_rng(0)
TWO = np.concatenate([RNG.normal(10, 1, 4000), RNG.normal(30, 2, 1000)])


def test_otsu_leaves_the_least_variance_within_the_classes() -> None:
    found = otsu(TWO)
    assert 13 < found < 26

    def within(level: float) -> float:
        classes = TWO[level >= TWO], TWO[level < TWO]
        return sum(part.size * float(part.var()) for part in classes)

    levels = np.linspace(TWO.min(), TWO.max(), 200)[1:-1]
    assert within(found) <= 1.001 * min(map(within, levels))


@pytest.mark.parametrize("sign", [1, -1], ids=["bright", "dark"])
def test_a_small_foreground_lies_beyond_the_triangle(sign: int) -> None:
    pixels = sign * np.concatenate([RNG.normal(0, 1, 20_000), RNG.normal(15, 1, 300)])
    assert 1 < sign * triangle(pixels) < 14


def test_equal_pixels_have_no_threshold() -> None:
    for method in (otsu, triangle):
        with pytest.raises(DataError):
            method(np.full(100, 3.0))
