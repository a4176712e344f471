"""Arrays as input of a deconvolution, with notes."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan.errors import DataError
from napari_blurgan.inverse.frame import as_frame, background_note

IMAGE = np.random.default_rng(0).poisson(50, (4, 8, 8))


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float64, ">u2"])
def test_any_number_becomes_float32(dtype: str) -> None:
    frame, notes = as_frame(IMAGE.astype(dtype))
    assert frame.dtype == np.float32
    assert not notes
    np.testing.assert_array_equal(frame, IMAGE)


def test_negative_values_are_noted_unless_signed() -> None:
    image = IMAGE.astype(float)
    image[0, 0, 0] = -3
    assert any("negative" in note for note in as_frame(image)[1])
    assert not as_frame(image, signed=True)[1]


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_what_is_no_number_is_refused_with_its_count(value: float) -> None:
    image = IMAGE.astype(float)
    image[1, 2, 3] = value
    with pytest.raises(DataError, match="1 of 256"):
        as_frame(image)


def test_a_background_above_the_image_is_reported() -> None:
    frame, _ = as_frame(IMAGE)
    assert background_note(frame, 0.0) is None
    assert "brightest" in (background_note(frame, 1000.0) or "")
    assert "mean" in (background_note(frame, 52.0) or "")
