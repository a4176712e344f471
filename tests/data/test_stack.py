"""`Stack`: pixels with their geometry."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan import Stack
from napari_blurgan.errors import BlurGANError

PIXELS = np.arange(2 * 3 * 4 * 5 * 6).reshape(2, 3, 4, 5, 6)
IMAGE = Stack(PIXELS, "TCZYX", (0.3, 0.1, 0.1), "cell", ("DNA", "actin", "other"))


def test_sizes_by_axis() -> None:
    assert IMAGE.size("C") == 3
    assert IMAGE.size("S") == 1
    assert (IMAGE.spatial_axes, IMAGE.spatial_shape) == ("ZYX", (4, 5, 6))
    assert IMAGE.channels == 3


def test_a_frame_is_one_time_point() -> None:
    np.testing.assert_array_equal(IMAGE.frame(1), PIXELS[1])
    np.testing.assert_array_equal(IMAGE.frame(1, 2), PIXELS[1, 2:])


def test_one_channel_keeps_its_name() -> None:
    found = IMAGE.only_channel(1)
    assert found.channels == 1
    assert found.channel_names == ("actin",)
    np.testing.assert_array_equal(found.frame(0)[0], PIXELS[0, 1])


def test_numpy_takes_it_as_its_pixels() -> None:
    np.testing.assert_array_equal(np.asarray(IMAGE), PIXELS)
    with pytest.raises(TypeError):
        hash(IMAGE) and IMAGE["a"]


def test_other_pixels_keep_the_geometry() -> None:
    found = IMAGE.with_data(PIXELS[:1] * 2)
    assert (found.voxel_size, found.name) == (IMAGE.voxel_size, "cell")
    assert found.size("T") == 1


@pytest.mark.parametrize(
    ("axes", "voxel"), [("ZYXC", None), ("TCZYX", (0.3, 0, 0.1)), ("TCZYY", None)]
)
def test_what_does_not_fit_is_refused(axes: str, voxel: object) -> None:
    with pytest.raises(BlurGANError):
        Stack(PIXELS, axes, voxel or (None, None, None))


def test_a_channel_that_is_not_there_is_refused() -> None:
    with pytest.raises(BlurGANError, match="it has 3"):
        IMAGE.only_channel(3)
