"""Complex images as two channels, and back."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan.data.complex_numbers import as_complex, in_parts
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError


def numbers(*shape: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)


@pytest.mark.parametrize(
    ("axes", "found"), [("YX", "CYX"), ("ZYX", "CZYX"), ("TYX", "TCYX"), ("XY", "CXY")]
)
def test_real_and_imaginary_part_become_channels(axes: str, found: str) -> None:
    image = numbers(*(3, 4, 5)[-len(axes) :])
    stack = in_parts(Stack(image, axes, name="a"))
    assert stack.axes == found
    assert stack.channel_names == ("real", "imaginary")
    assert stack.channels == 2
    np.testing.assert_array_equal(
        as_complex(np.asarray(stack.data), stack.axes.index("C")), image
    )


def test_numbers_of_single_precision_are_not_copied() -> None:
    image = numbers(4, 5)
    stack = in_parts(Stack(image, "YX"))
    assert np.shares_memory(stack.data, image)


def test_numbers_of_double_precision_become_single() -> None:
    stack = in_parts(Stack(numbers(4, 5).astype(complex), "YX"))
    assert stack.data.dtype == np.float32


def test_channels_are_refused() -> None:
    with pytest.raises(AxesError, match="name that axis Z or T"):
        in_parts(Stack(numbers(8, 4, 5), "CYX", name="coils"))


def test_other_than_two_channels_are_no_complex_image() -> None:
    with pytest.raises(AxesError, match="found 3"):
        as_complex(np.zeros((3, 4, 5)))
