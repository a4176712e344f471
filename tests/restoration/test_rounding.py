"""From float32 to the pixel type of a result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_blurgan.errors import DataError
from napari_blurgan.restoration.rounding import Rounding, result_dtype


@pytest.mark.parametrize(
    ("asked", "expected"),
    [(None, "float32"), ("source", "uint16"), ("uint8", "uint8"), (">i4", "int32")],
)
def test_the_type_that_was_asked_for(asked: Any, expected: str) -> None:
    found = result_dtype(asked, ">u2")
    assert (found.name, found.isnative) == (expected, True)


@pytest.mark.parametrize(
    "asked", ["int64", "complex64", "bool", "float16", "grey", "", "1 2", "f4,f4"]
)
def test_other_types_are_refused(asked: str) -> None:
    with pytest.raises(DataError, match="float32"):
        result_dtype(asked, "uint16")


def test_it_rounds_clips_and_counts() -> None:
    rounding = Rounding(np.dtype("uint8"))
    block = np.array([-3, -0.4, 0.5, 1.5, 254.6, 255.4, 255.6, 1e9], np.float32)
    expected = [0, 0, 0, 2, 255, 255, 255, 255]
    np.testing.assert_array_equal(rounding(block), expected)
    assert (rounding.below, rounding.above) == (1, 2)


def test_the_largest_number_of_32_bits_is_kept() -> None:
    block = np.array([2.0**32], np.float32)
    assert Rounding(np.dtype("uint32"))(block)[0] == 2**32 - 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("dtype", ["float32", "uint16"])
def test_nan_and_infinity_are_refused(bad: float, dtype: str) -> None:
    with pytest.raises(DataError, match="NaN or infinite"):
        Rounding(np.dtype(dtype))(np.array([0, bad], np.float32))
