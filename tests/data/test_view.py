"""Views of an array that read only what is indexed."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_blurgan.data.view import AxisView, RangeView

PIXELS = np.arange(4 * 5 * 6).reshape(4, 5, 6)


class Counted:
    """An array that counts the voxels read from it."""

    shape, dtype, ndim = PIXELS.shape, PIXELS.dtype, 3

    def __init__(self) -> None:
        self.read = 0

    def __getitem__(self, index: Any) -> np.ndarray:
        found = PIXELS[index]
        self.read += found.size
        return found


def test_an_axis_is_fixed() -> None:
    source = Counted()
    view = AxisView(source, 1, 2)
    assert (view.shape, view.ndim) == ((4, 6), 2)
    assert source.read == 0
    np.testing.assert_array_equal(view[1:3], PIXELS[1:3, 2])
    assert source.read == 12


def test_a_range_of_an_axis() -> None:
    source = Counted()
    view = RangeView(source, 0, 1, 3)
    assert view.shape == (2, 5, 6)
    np.testing.assert_array_equal(view[1], PIXELS[2])
    np.testing.assert_array_equal(view[:, 0], PIXELS[1:3, 0])
    assert source.read == 30 + 12
