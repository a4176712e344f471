"""A measured image and its restoration, side by side."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.trust.pair import beside, check_pair

ONE = Stack(np.arange(24, dtype=np.uint16).reshape(2, 3, 4), "ZYX", name="a")
OTHER = ONE.with_data(ONE.data[:] * 2.5)


def test_they_become_channels() -> None:
    pair = beside([ONE, OTHER])
    assert (pair.axes, pair.shape) == ("CZYX", (2, 2, 3, 4))
    np.testing.assert_array_equal(pair.data[1, 0], OTHER.data[0])
    both = pair.data[0:2, 1, 0:2]
    np.testing.assert_array_equal(both, [ONE.data[1, 0:2], OTHER.data[1, 0:2]])


@pytest.mark.parametrize(
    ("restored", "message"),
    [
        (Stack(np.zeros((2, 3, 5)), "ZYX", name="b"), "spatial shape"),
        (Stack(np.zeros((2, 2, 3, 4)), "CZYX", name="b"), "channels"),
        (Stack(np.zeros((2, 2, 3, 4)), "TZYX", name="b"), "must be equal"),
    ],
)
def test_another_field_is_refused(restored: Stack, message: str) -> None:
    check_pair(ONE, OTHER)
    with pytest.raises(DataError, match=message):
        check_pair(ONE, restored)
