from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from napari_blurgan.errors import DataError
from napari_blurgan.networks.unet import UNet
from napari_blurgan.tiling.plan import check_repetition
from napari_blurgan.tiling.tiling import Tiling, aligned


@st.composite
def tilings(draw: DrawFn) -> Any:
    dims = draw(st.sampled_from([2, 3]))

    def each(strategy: Any) -> Any:
        return draw(st.tuples(*[strategy] * dims))

    return Tiling(
        shape=each(st.integers(1, 40)),
        tile=each(st.integers(1, 50)),
        halo=each(st.integers(0, 12)),
        stride=each(st.sampled_from([1, 2, 4, 8])),
        margin=each(st.integers(0, 12)),
    )


@settings(deadline=None)
@given(tilings())
def test_every_voxel_is_written_exactly_once(tiling: Tiling) -> None:
    count = np.zeros(tiling.shape, int)
    for tile in tiling:
        count[tile.core] += 1
    assert (count == 1).all()


@settings(deadline=None)
@given(tilings())
def test_tiles_keep_to_the_grid_and_to_the_world(tiling: Tiling) -> None:
    for tile in tiling:
        for axis, stride in enumerate(tiling.stride):
            core, start = tile.core[axis], tile.start[axis]
            end = start + tile.shape[axis]
            length, margin = tiling.shape[axis], tiling.margin[axis]
            halo = tiling.halo[axis]
            assert start % stride == 0
            assert start == max(core.start - halo, -margin)
            last = aligned(length, stride) + margin if margin else length
            assert end == min(aligned(core.stop, stride) + halo, last)
            assert 0 <= tile.read[axis].start < tile.read[axis].stop <= length


@settings(deadline=None)
@given(tilings())
def test_what_a_tile_takes_is_the_reflected_volume(tiling: Tiling) -> None:
    volume = np.arange(math.prod(tiling.shape), dtype=np.float32).reshape(tiling.shape)
    before = list(tiling.margin)
    after = [
        aligned(n, s) + m - n if m else 0
        for n, s, m in zip(tiling.shape, tiling.stride, tiling.margin, strict=True)
    ]
    padding = list(zip(before, after, strict=True))
    world = np.pad(volume, padding, mode="reflect")
    for tile in tiling:
        taken = tile.take(volume[tile.read][np.newaxis])[0]
        window = tuple(
            slice(s + b, s + b + n)
            for s, b, n in zip(tile.start, before, tile.shape, strict=True)
        )
        assert np.array_equal(taken, world[window])
        assert np.array_equal(taken[tile.crop], volume[tile.core])


@settings(deadline=None)
@given(tilings(), st.data())
def test_halves_are_the_whole_and_stay_on_the_grid(tiling: Tiling, data: Any) -> None:
    tile = tiling[data.draw(st.integers(0, len(tiling) - 1))]
    halves = tiling.halves(tile.core)
    if halves is None:
        assert all(n <= s for n, s in zip(tile.core_shape, tiling.stride, strict=True))
        return
    count = np.zeros(tiling.shape, int)
    for half in halves:
        count[half] += 1
        part = tiling.at(half)
        for axis in range(len(half)):
            assert part.start[axis] >= tile.start[axis]
            end = part.start[axis] + part.shape[axis]
            assert end <= tile.start[axis] + tile.shape[axis]
    assert count.sum() == math.prod(tile.core_shape)
    assert (count[tile.core] == 1).all()


@settings(deadline=None)
@given(tilings())
def test_a_tiling_of_its_own_core_is_the_same(tiling: Tiling) -> None:
    again = Tiling(tiling.shape, tiling.core, tiling.halo, tiling.stride, tiling.margin)
    assert (again.core, again.counts) == (tiling.core, tiling.counts)


@pytest.mark.parametrize(
    ("shape", "tile", "halo", "stride"),
    [
        ((4, 4), (2, 2, 2), (0, 0), (1, 1)),
        ((4, 4), (0, 2), (0, 0), (1, 1)),
        ((4, 4), (2, 2), (-1, 0), (1, 1)),
    ],
)
def test_nonsense_is_refused(
    shape: tuple[int, int],
    tile: tuple[int, ...],
    halo: tuple[int, int],
    stride: tuple[int, int],
) -> None:
    with pytest.raises(ValueError, match=r"axes|positive"):
        Tiling(shape, tile, halo, stride)


def network(dims: int) -> Any:
    torch.manual_seed(0)
    net = UNet(dims, 1, 1, base=2, levels=5 - dims, norm="batch")
    net.train()
    with torch.inference_mode():
        # Running statistics that are not nought and one.
        net(torch.randn(1, 1, *[32] * dims) * 3 + 1)
    return net.eval()


NETWORKS = {dims: network(dims) for dims in (2, 3)}


def through(net: UNet, tiling: Tiling, volume: np.ndarray) -> np.ndarray:
    result = np.empty(tiling.shape, np.float32)
    for tile in tiling:
        image = torch.from_numpy(tile.take(volume[tile.read][np.newaxis]))
        with torch.inference_mode():
            result[tile.core] = net(image[np.newaxis])[0, 0].numpy()[tile.crop]
    return result


@settings(max_examples=40, deadline=None)
@given(data=st.data(), dims=st.sampled_from([2, 2, 3]))
def test_tiled_equals_whole(data: Any, dims: int) -> None:
    net = NETWORKS[dims]
    longest = 90 if dims == 2 else 30
    shape = data.draw(st.tuples(*[st.integers(1, longest)] * dims))
    tile = data.draw(st.tuples(*[st.integers(8, longest)] * dims))
    margin = data.draw(st.tuples(*[st.integers(0, 24)] * dims))
    volume = np.random.default_rng(1).normal(size=shape).astype(np.float32)

    def tiling(core: Any) -> Any:
        return Tiling(shape, core, net.receptive_halo, net.stride, margin)

    whole = through(net, tiling(shape), volume)
    tiled = through(net, tiling(tile), volume)

    assert np.abs(tiled - whole).max() <= 1e-5 * np.abs(whole).max()


def test_tiles_that_would_never_end_are_refused() -> None:
    shape, halo = (9, 64, 64), (18, 52, 52)
    tiny = Tiling(shape, (1, 1, 1), halo, (1, 1, 1), (0, 0, 0))
    with pytest.raises(DataError, match=r"computed \d+ times, at most 100 "):
        check_repetition(tiny)
    check_repetition(Tiling(shape, (9, 32, 32), halo, (1, 1, 1), (0, 0, 0)))
