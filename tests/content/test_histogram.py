"""Thresholds from the histogram alone."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.filters import threshold_otsu

from napari_blurgan.content.histogram import otsu, triangle
from napari_blurgan.errors import DataError

RNG = np.random.default_rng(0)
TWO = np.concatenate([RNG.normal(10, 1, 4000), RNG.normal(30, 2, 1000)])


def test_otsu_separates_two_classes_as_scikit_image_does() -> None:
    assert 13 < otsu(TWO) < 26
    assert otsu(TWO) == pytest.approx(threshold_otsu(TWO), abs=1)


@pytest.mark.parametrize("sign", [1, -1], ids=["bright", "dark"])
def test_a_small_foreground_lies_beyond_the_triangle(sign: int) -> None:
    pixels = sign * np.concatenate([RNG.normal(0, 1, 20_000), RNG.normal(15, 1, 300)])
    assert 1 < sign * triangle(pixels) < 14


def test_equal_pixels_have_no_threshold() -> None:
    for method in (otsu, triangle):
        with pytest.raises(DataError):
            method(np.full(100, 3.0))
