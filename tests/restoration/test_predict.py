"""Tiles make the image that the operator makes in one piece."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_blurgan.data.normalize import Normalization
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError, DataError
from napari_blurgan.restoration.events import Planned, TileDone
from napari_blurgan.restoration.predict import apply
from napari_blurgan.tiling.operator import Normalized
from tests.support.operators import Add, Smooth, ramp, restored


@settings(max_examples=30, deadline=None)
@given(data=st.data(), dims=st.sampled_from([2, 3]))
def test_tiled_equals_whole(data: Any, dims: int) -> None:
    shape = data.draw(st.tuples(*[st.integers(1, 20)] * dims))
    tile = data.draw(st.tuples(*[st.integers(1, 20)] * dims))
    pixels = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    image = Stack(pixels, "ZYX"[-dims:])
    operator = Smooth(dims)

    whole = restored(operator, image, tile=shape).data
    tiled = restored(operator, image, tile=tile).data

    assert whole.shape == image.shape
    assert np.abs(tiled - whole).max() <= 1e-5 * np.abs(whole).max()


@pytest.mark.parametrize(
    ("axes", "shape"),
    [
        ("ZYX", (4, 6, 5)),
        ("TZYX", (2, 4, 6, 5)),
        ("ZCYX", (4, 2, 6, 5)),
        ("CTZYX", (2, 3, 4, 6, 5)),
        ("XYZ", (5, 6, 4)),
        ("ZYXS", (4, 6, 5, 3)),
        ("TCZYX", (1, 1, 4, 6, 5)),
    ],
)
@pytest.mark.parametrize("channels", [None, 1])
def test_axes_come_back_in_their_order(
    axes: str, shape: tuple[int, ...], channels: int | None
) -> None:
    image = ramp(*shape)
    stack = Stack(image, axes, (0.3, 0.1, 0.1))
    result = restored(Add(1, channels=channels), stack, tile=(3, 4, 5))
    assert result.axes == axes
    assert result.voxel_size == stack.voxel_size
    assert np.array_equal(result.data, image + 1)


@pytest.mark.parametrize(("axes", "shape"), [("YX", (6, 5)), ("TYX", (3, 6, 5))])
def test_planes(axes: str, shape: tuple[int, ...]) -> None:
    image = ramp(*shape)
    result = restored(Add(1, dims=2), Stack(image, axes))
    assert np.array_equal(result.data, image + 1)


def test_a_chosen_channel_and_time_point_leave_no_axis() -> None:
    image = ramp(2, 3, 4, 6, 5)
    stack = Stack(image, "CTZYX", channel_names=("DNA", "actin"))
    result = restored(Add(), stack, channel=1, time=2)
    assert result.axes == "ZYX"
    assert result.channel_names == ("actin",)
    assert np.array_equal(result.data, image[1, 2])


@pytest.mark.parametrize(
    ("axes", "shape", "channels", "expected_axes", "expected_shape"),
    [
        ("ZYX", (4, 6, 5), (1, 3), "CZYX", (3, 4, 6, 5)),
        ("ZCYX", (4, 2, 6, 5), (2, 1), "ZCYX", (4, 1, 6, 5)),
        ("ZYXS", (4, 6, 5, 3), (3, 1), "ZYX", (4, 6, 5)),
        ("ZYXS", (4, 6, 5, 3), (3, 2), "CZYX", (2, 4, 6, 5)),
        ("TCZYX", (2, 2, 4, 6, 5), (1, 3), "TCZYX", (2, 6, 4, 6, 5)),
    ],
)
def test_another_number_of_channels(
    axes: str,
    shape: tuple[int, ...],
    channels: tuple[int, int],
    expected_axes: str,
    expected_shape: tuple[int, ...],
) -> None:
    stack = Stack(ramp(*shape), axes)
    result = restored(Smooth(3, channels), stack)
    assert (result.axes, result.data.shape) == (expected_axes, expected_shape)


def test_big_endian_integers_are_read() -> None:
    image = ramp(4, 6, 5, dtype=">u2")
    assert np.array_equal(restored(Add(), image).data, image.astype("float32"))


def test_grey_levels_in_grey_levels_out() -> None:
    image = ramp(4, 6, 5)
    operator = Normalized(Add(1), Normalization(10, 5), Normalization(100, 2))
    expected = ((image - 10) / 5 + 1) * 2 + 100
    assert np.allclose(restored(operator, image).data, expected)


def test_integers_are_rounded_and_what_is_clipped_is_counted() -> None:
    image = np.array([[-3.0, 0.4, 0.6, 254.5, 255.4, 256.0, 300.0]], np.float32)
    finished = list(apply(Add(dims=2), image, dtype="uint8"))[-1]
    assert finished.result.data.dtype == np.uint8
    assert finished.result.data.tolist() == [[0, 0, 1, 254, 255, 255, 255]]
    assert (finished.below, finished.above) == (1, 2)


def test_the_dtype_of_the_source_can_be_kept() -> None:
    image = ramp(4, 6, 5, dtype=">i2")
    result = restored(Add(), image, dtype="source").data
    assert result.dtype == np.dtype("int16")
    assert np.array_equal(result, image)


def test_the_full_range_of_uint32_is_kept() -> None:
    image = np.array([[0, 2**32 - 1]], "uint32")
    result = list(apply(Add(dims=2), image, dtype="source"))[-1]
    assert result.result.data.tolist() == [[0, 2**32 - 1]]


@pytest.mark.parametrize("dtype", ["int64", "complex64", "bool", "nonsense"])
def test_other_dtypes_are_refused(dtype: str) -> None:
    with pytest.raises(DataError, match=r"cannot be|no pixel type"):
        list(apply(Add(), ramp(4, 6, 5), dtype=dtype))


@pytest.mark.parametrize(
    ("source", "operator", "options", "error", "message"),
    [
        (ramp(5), Add(), {}, AxesError, "without names"),
        (ramp(6, 5), Add(), {}, AxesError, r"restores volumes"),
        (ramp(4, 6, 5), Add(channels=2), {}, AxesError, "takes 2 channels"),
        (ramp(4, 6, 5), Add(), {"channel": 1}, AxesError, "no channel 1"),
        (ramp(4, 6, 5), Add(), {"time": -1}, AxesError, "no T -1"),
        (ramp(4, 6, 5), Add(), {"tile": (4, 4)}, DataError, "a tile of"),
        (ramp(4, 6, 5), Add(), {"tile": (0, 4, 4)}, DataError, "a tile of"),
        (ramp(0, 6, 5), Add(), {}, DataError, "is empty"),
        (ramp(4, 6, 5, dtype="complex64"), Add(), {}, DataError, "real numbers"),
        (np.full((4, 6, 5), np.nan, "float32"), Add(), {}, DataError, "nan at z = 0"),
    ],
)
def test_what_does_not_fit_is_refused(
    source: np.ndarray,
    operator: Add,
    options: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        list(apply(operator, source, **options))


def test_a_single_nan_is_named_with_its_place() -> None:
    image = ramp(2, 4, 6, 5)
    image[1, 3, 2, 4] = np.inf
    with pytest.raises(DataError, match="inf at t = 1, z = 3, y = 2, x = 4"):
        list(apply(Add(), Stack(image, "TZYX"), tile=(2, 2, 2)))


def test_a_constant_and_a_tiny_stack_are_restored() -> None:
    operator = Smooth()
    assert np.isfinite(restored(operator, np.full((9, 9, 9), 7.0)).data).all()
    assert restored(operator, np.full((1, 1, 1), 7.0)).data.shape == (1, 1, 1)


def test_events_count_every_tile() -> None:
    events = list(apply(Add(), ramp(4, 6, 5), tile=(2, 3, 5)))
    assert isinstance(events[0], Planned)
    assert events[0].plan.tiles == 4
    ticks = [e for e in events if isinstance(e, TileDone)]
    assert [(e.done, e.total) for e in ticks] == [(n, 4) for n in (1, 2, 3, 4)]
    assert ticks[-1].seconds_left == 0


def test_the_plan_says_what_it_will_take() -> None:
    plan = next(apply(Smooth(), ramp(64, 64, 64), tile=(32, 64, 64))).plan
    assert plan.tiles == 2
    assert plan.disk_bytes == 4 * 64**3
    # At least the 4 features before and after the norm of one tile.
    assert plan.device_bytes > 2 * 4 * 4 * 34 * 66 * 66
    assert "2 tiles of 32×64×64 voxels" in str(plan)


def test_only_the_tiles_region_is_read() -> None:
    class Watched:
        dtype, shape = np.dtype("float32"), (8, 64, 64)
        sizes: ClassVar[list] = []

        def __getitem__(self, index: Any) -> Any:
            block = np.zeros(self.shape, "float32")[index]
            self.sizes.append(block.size)
            return block

    restored(Smooth(), Watched(), tile=(8, 16, 16), margin=(0, 0, 0))
    assert max(Watched.sizes) == 8 * 20 * 20


def test_the_source_is_safe_from_operators_that_work_in_place() -> None:
    class InPlace(Add):
        def __call__(self, image: torch.Tensor, /) -> torch.Tensor:
            return image.add_(1)

    image = ramp(4, 6, 5)
    result = restored(InPlace(), image).data
    assert np.array_equal(image, ramp(4, 6, 5))
    assert np.array_equal(result, image + 1)


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize("blend", [False, True])
def test_a_result_that_is_no_number_is_an_error(dtype: str, blend: bool) -> None:
    with pytest.raises(DataError, match="NaN or infinite"):
        list(apply(Add(np.inf), ramp(4, 6, 5), dtype=dtype, blend=blend))


def test_several_operators_share_the_tiles() -> None:
    class Counting(Smooth):
        def __init__(self, barrier: Any) -> None:
            super().__init__()
            self.count, self.barrier = -1, barrier  # the probe does not count

        def __call__(self, image: torch.Tensor, /) -> torch.Tensor:
            self.count += 1
            if self.count == 1:
                self.barrier.wait(timeout=30)  # both are at work at the same time
            return super().__call__(image)

    image = np.random.default_rng(0).normal(size=(16, 16, 16)).astype("float32")
    barrier = threading.Barrier(2)
    copies = [Counting(barrier), Counting(barrier)]
    copies[1].count = 0
    result = restored(copies, image, tile=(4, 16, 16)).data
    assert copies[0].count + copies[1].count == 4
    assert np.allclose(result, restored(Smooth(), image).data, atol=1e-5)


def test_an_operator_of_planes_goes_through_a_volume_plane_by_plane() -> None:
    smooth = Smooth(dims=2)
    volumes = np.random.default_rng(0).random((2, 3, 12, 10), np.float32)
    result = restored(smooth, Stack(volumes, "TZYX"), tile=(6, 6))
    assert result.axes == "TZYX"
    with torch.inference_mode():
        planes = smooth(torch.from_numpy(volumes.reshape(6, 1, 12, 10)))
    expected = planes.reshape(volumes.shape)
    # At the border tiles are mirrored, where the bare network sees zeros.
    inner = (..., slice(3, -3), slice(3, -3))
    np.testing.assert_allclose(result.data[inner], expected[inner], atol=1e-5)


@pytest.mark.parametrize(
    ("axes", "shape", "expected"),
    [
        ("YX", (12, 10), "YXS"),
        ("ZYX", (2, 12, 10), "ZYXS"),
        ("CYX", (1, 12, 10), "YXS"),
    ],
)
def test_three_channels_of_colour_are_the_samples_of_a_pixel(
    axes: str, shape: tuple[int, ...], expected: str
) -> None:
    stain = Smooth(dims=2, channels=(1, 3))
    image = Stack(np.zeros(shape, np.float32), axes)
    assert restored(stain, image).axes.endswith("YX")
    stain.colour = True
    result = restored(stain, image)
    assert result.axes == expected
    assert result.data.shape[-1] == 3
