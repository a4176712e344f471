"""Boxes read from a stack, and checks of their voxels."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan import Stack
from napari_blurgan.data.regions import (
    check_channels,
    check_finite,
    check_readable,
    read_region,
)
from napari_blurgan.errors import BlurGANError, DataError

PIXELS = np.arange(2 * 3 * 4 * 5 * 6, dtype=np.float32).reshape(2, 3, 4, 5, 6)
IMAGE = Stack(PIXELS, "TCZYX", (0.3, 0.1, 0.1), name="cell")


def test_a_box_of_some_channels() -> None:
    found = read_region(IMAGE, 1, (1, 2, 3), (2, 2, 3), (0, 2))
    np.testing.assert_array_equal(found, PIXELS[1, [0, 2], 1:3, 2:4, 3:6])


def test_channels_are_all_or_those_that_are_named() -> None:
    assert check_channels(IMAGE, None) == (0, 1, 2)
    assert check_channels(IMAGE, [2]) == (2,)
    with pytest.raises(BlurGANError):
        check_channels(IMAGE, [3])


@pytest.mark.parametrize(
    "pixels", [np.zeros((0, 4)), np.zeros((4, 4), complex)], ids=["empty", "complex"]
)
def test_what_holds_no_real_numbers_is_refused(pixels: np.ndarray) -> None:
    with pytest.raises(DataError):
        check_readable(Stack(pixels, "YX"))


def test_the_place_of_a_nan_is_named() -> None:
    region = np.zeros((1, 2, 3, 4), np.float32)
    region[0, 1, 2, 3] = np.nan
    with pytest.raises(DataError, match="z = 11, y = 22, x = 33"):
        check_finite(region, Stack(PIXELS[0, 0], "ZYX"), 0, (10, 20, 30))
