"""One normalisation for a data set, of any size, undone exactly."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_blurgan.data import normalize
from napari_blurgan.data.normalize import Normalization, robust_normalization
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError, DataError


class Huge:
    """Gradient along z that exists only where it is read; it counts what is read."""

    dtype = np.dtype(np.uint16)

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.shape = shape
        self.voxels_read = 0
        self.largest_read = 0

    def __getitem__(self, index: tuple[slice, ...]) -> np.ndarray:
        z, y, x = (range(*s.indices(n)) for s, n in zip(index, self.shape, strict=True))
        size = len(z) * len(y) * len(x)
        self.voxels_read += size
        self.largest_read = max(self.largest_read, size)
        levels = 100 + np.arange(z.start, z.stop) * 1000 // self.shape[0]
        block = np.broadcast_to(levels[:, None, None], (len(z), len(y), len(x)))
        return block.astype(np.uint16)


@given(
    image=arrays(np.uint16, (3, 4), elements=st.integers(0, 65535)),
    offset=st.floats(-1e3, 7e4),
    scale=st.floats(1, 7e4),
)
def test_undo_is_the_inverse_of_apply(
    image: np.ndarray, offset: float, scale: float
) -> None:
    level = Normalization(offset, scale)
    units = level.apply(image)
    assert units.dtype == np.float32
    tolerance = 1e-6 * (abs(offset) + 65535)
    np.testing.assert_allclose(level.undo(units), image, rtol=0, atol=tolerance)


def test_tensors_are_undone_as_arrays_are() -> None:
    level = Normalization(100.0, 50.0)
    assert torch.equal(level.undo(torch.tensor([0.0, 1.0])), torch.tensor([100.0, 150]))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32", "float64"])
def test_apply_takes_every_real_dtype_and_leaves_it_alone(dtype: str) -> None:
    image = np.array([[100, 150]], dtype)
    np.testing.assert_array_equal(Normalization(100, 50).apply(image), [[0, 1]])
    np.testing.assert_array_equal(image, [[100, 150]])


def test_json_keeps_it_exactly() -> None:
    level = Normalization(0.1, 1 / 3)
    assert Normalization.from_dict(json.loads(json.dumps(level.to_dict()))) == level


@pytest.mark.parametrize(
    "values",
    [{}, {"offset": 1}, {"offset": 0, "scale": 0}, {"offset": "a", "scale": 1}],
)
def test_damaged_values_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        Normalization.from_dict(values)


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf])
def test_impossible_scales_are_refused(scale: float) -> None:
    with pytest.raises(DataError, match="positive scale"):
        Normalization(0.0, scale)


def test_small_data_give_exact_percentiles() -> None:
    rng = np.random.default_rng(0)
    one = rng.gamma(2, 100, (10, 200, 150))
    two = rng.gamma(3, 100, (2, 3, 140, 130)).astype(np.float32)
    stacks = [Stack(one, "ZYX"), Stack(two, "TCYX")]
    level = robust_normalization(stacks, low=2, high=99)
    values = np.concatenate([one.ravel(), two.ravel()]).astype(np.float32)
    low, high = np.percentile(values, [2, 99])
    assert level.offset == pytest.approx(low, rel=1e-6)
    assert level.scale == pytest.approx(high - low, rel=1e-6)


def test_only_the_named_channels_count() -> None:
    data = np.random.default_rng(0).random((3, 20, 20)).astype(np.float32)
    data[2] += 100
    stack = Stack(data, "CYX")
    assert robust_normalization([stack], channels=[2]).offset > 99
    assert robust_normalization([stack], channels=[0, 1]).offset < 1
    with pytest.raises(AxesError, match="no channel"):
        robust_normalization([stack], channels=[3])


def test_data_larger_than_memory_are_sampled() -> None:
    # 84 GB, of which a few blocks are read and never more than one at a time.
    huge = Huge((10_000, 2048, 2048))
    tracemalloc.start()
    level = robust_normalization([Stack(huge, "ZYX")], low=1, high=99)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert huge.largest_read <= np.prod(normalize.BLOCK)
    assert huge.voxels_read < 1.1 * normalize.MAX_SAMPLES
    assert peak < 100e6
    # 32 blocks of 8 planes: the ends are known to a few per cent.
    assert level.offset == pytest.approx(110, abs=100)
    assert level.scale == pytest.approx(980, abs=150)


def test_samples_are_the_same_for_the_same_seed() -> None:
    stacks = [Stack(Huge((1000, 512, 512)), "ZYX")]
    levels = [
        robust_normalization(stacks, max_samples=2**19, seed=seed) for seed in (3, 3, 4)
    ]
    assert levels[0] == levels[1] != levels[2]


def test_many_tiny_images_all_count() -> None:
    stacks = [Stack(np.full((4, 4), n, np.uint8), "YX") for n in range(200)]
    assert robust_normalization(stacks, low=0, high=100) == Normalization(0, 199)


def test_a_few_beads_in_the_dark_set_the_scale() -> None:
    image = np.zeros((200, 200), np.uint16)
    image[100, 100] = 500
    assert robust_normalization([Stack(image, "YX")]) == Normalization(0, 500)


def test_constant_data_are_refused_by_name() -> None:
    stacks = [Stack(np.full((9, 9), 7), "YX", name=f"image {n}") for n in range(5)]
    with pytest.raises(DataError, match=r"image 0, image 1, image 2 and 2 more: .* 7"):
        robust_normalization(stacks)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_is_refused_with_its_place(bad: float) -> None:
    movie = np.random.default_rng(0).random((2, 20, 200, 200))
    movie[1, 9, 150, 30] = bad
    with pytest.raises(DataError, match=r"movie: .*t = 1, z = 9, y = 150, x = 30"):
        robust_normalization([Stack(movie, "TZYX", name="movie")])


def test_empty_and_complex_data_are_refused() -> None:
    with pytest.raises(DataError, match="at least one"):
        robust_normalization([])
    with pytest.raises(DataError, match=r"void: is empty, its shape is \(0, 5\)"):
        robust_normalization([Stack(np.empty((0, 5)), "YX", name="void")])
    with pytest.raises(DataError, match="complex"):
        robust_normalization([Stack(np.ones((5, 5), complex), "YX")])


def test_percentiles_out_of_order_are_refused() -> None:
    with pytest.raises(DataError, match="percentiles"):
        robust_normalization([Stack(np.eye(5), "YX")], low=99, high=1)
