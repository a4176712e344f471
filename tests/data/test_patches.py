"""Patches: lazy, covering, deterministic, resumable, and honest about bad data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import torch
import zarr

from napari_blurgan.data.normalize import Normalization
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError, DataError
from napari_blurgan.reading.images import read_stack
from napari_blurgan.sampling.augment import Augmentation
from napari_blurgan.sampling.patches import PatchSampler, check_disjoint
from tests.support.vendor_files import image, write_lif

RAW = Normalization(0.0, 1.0)


def sampler(
    stacks: list[Stack], patch: tuple[int, ...], **options: Any
) -> PatchSampler:
    usual: dict[str, Any] = {"normalization": RAW, "rng": np.random.default_rng(0)}
    return PatchSampler(stacks, patch, **(usual | options))


class Recorder:
    """An array that counts the bytes read from it."""

    def __init__(self, data: np.ndarray) -> None:
        self.data = data
        self.shape, self.dtype = data.shape, data.dtype
        self.bytes_read = 0

    def __getitem__(self, index: Any) -> np.ndarray:
        part = self.data[index]
        self.bytes_read += part.nbytes
        return part


def numbered(shape: tuple[int, ...]) -> np.ndarray:
    """Every voxel holds its own number."""
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def test_patches_are_float32_pieces_of_the_data() -> None:
    data = numbered((9, 12, 14)).astype(np.uint16)
    draw = sampler([Stack(data, "ZYX")], (3, 4, 5), normalization=Normalization(7, 2))
    place, patch = draw.draw_with_place()
    assert patch.dtype == torch.float32
    box = tuple(slice(c, c + n) for c, n in zip(place.corner, (3, 4, 5), strict=True))
    np.testing.assert_array_equal(patch[0].numpy(), (data[box] - 7.0) / 2)


def test_every_voxel_can_be_drawn() -> None:
    one, two = numbered((6, 7, 8)), numbered((2, 5, 6, 7))
    stacks = [Stack(one, "ZYX"), Stack(two + one.size, "TZYX")]
    draw = sampler(stacks, (4, 5, 5))
    seen = np.concatenate([draw.draw().numpy().ravel() for _ in range(600)])
    assert len(np.unique(seen)) == one.size + two.size


def test_large_stacks_give_more_patches() -> None:
    stacks = [Stack(np.zeros((10, 10)), "YX"), Stack(np.ones((3, 10, 10)), "TYX")]
    draw = sampler(stacks, (4, 4))
    share = np.mean([float(draw.draw().mean()) for _ in range(1000)])
    assert share == pytest.approx(0.75, abs=0.05)


def test_only_the_patch_is_read() -> None:
    recorder = Recorder(numbered((2, 3, 40, 50, 60)))
    draw = sampler([Stack(recorder, "TCZYX")], (8, 8, 8), channels=[1])
    assert recorder.bytes_read == 0
    draw.draw()
    assert recorder.bytes_read == 8**3 * 4
    turned = Augmentation(rotation=5.0, translation=1.0)
    draw = sampler([Stack(recorder, "TCZYX")], (8, 8, 8), channels=[1, 2])
    recorder.bytes_read = 0
    draw = sampler(draw.stacks, (8, 8, 8), channels=[1], augmentation=turned)
    draw.draw()
    assert 8**3 * 4 < recorder.bytes_read <= 14**3 * 4


def test_all_kinds_of_arrays_give_the_same_patches(tmp_path: Path) -> None:
    data = numbered((3, 12, 16, 16))
    stored = zarr.create_array(tmp_path / "a.zarr", data=data, chunks=(1, 4, 8, 8))
    mapped = np.memmap(tmp_path / "a.raw", np.float32, "w+", shape=data.shape)
    mapped[:] = data
    arrays = [data, stored, mapped, da.from_array(data, chunks=5)]
    draws = [sampler([Stack(a, "CZYX")], (5, 6, 7)).draw() for a in arrays]
    assert draws[0].shape == (3, 5, 6, 7)
    for draw in draws[1:]:
        assert torch.equal(draw, draws[0])


@pytest.mark.parametrize("axes", ["YXCZ", "ZCYX", "XYZC", "ZYXS", "SZYX"])
def test_axes_may_stand_in_any_order(axes: str) -> None:
    data = numbered((3, 8, 9, 10))  # C Z Y X
    order = ["CZYX".index("C" if a == "S" else a) for a in axes]
    stack = Stack(data.transpose(order), axes)
    for channels in (None, [2, 0], [1]):
        expected = sampler([Stack(data, "CZYX")], (4, 5, 6), channels=channels).draw()
        drawn = sampler([stack], (4, 5, 6), channels=channels).draw()
        assert torch.equal(drawn, expected)
        assert len(drawn) == len(channels or "CCC")


def test_channels_of_samples_are_counted_through() -> None:
    data = numbered((2, 6, 6, 3))
    draw = sampler([Stack(data, "CYXS")], (6, 6), channels=[4]).draw()
    np.testing.assert_array_equal(draw[0].numpy(), data[1, ..., 1])


def test_planes_are_drawn_from_volumes() -> None:
    data = numbered((5, 8, 8))
    draw = sampler([Stack(data, "ZYX")], (8, 8))
    planes = {int(draw.draw()[0, 0, 0]) // 64 for _ in range(100)}
    assert planes == {0, 1, 2, 3, 4}
    assert draw.draw().shape == (1, 8, 8)


def test_same_seed_same_patches_and_exact_resume() -> None:
    stacks = [
        Stack(numbered((20, 30, 30)), "ZYX"),
        Stack(numbered((40, 20, 20)), "ZYX"),
    ]
    options: dict[str, Any] = {
        "foreground": 0.5,
        "augmentation": Augmentation(rotation=5, scale=0.1, intensity=0.2),
    }
    first = sampler(stacks, (8, 8, 8), **options)
    second = sampler(stacks, (8, 8, 8), **options)
    for _ in range(5):
        assert torch.equal(first.draw(), second.draw())
    state = json.loads(json.dumps(first.state()))
    ahead = [first.draw() for _ in range(5)]
    options["rng"] = np.random.default_rng(99)
    resumed = sampler(stacks, (8, 8, 8), **options)
    resumed.set_state(state)
    for expected in ahead:
        assert torch.equal(resumed.draw(), expected)


def sparse(rng: np.random.Generator) -> np.ndarray:
    """A noisy image of which a twelfth holds structure."""
    image = rng.normal(100, 3, (240, 240)).astype(np.float32)
    image[80:120, 40:160] += rng.gamma(1, 50, (40, 120))
    return image


@pytest.mark.parametrize("bright_background", [False, True])
def test_foreground_finds_structure(bright_background: bool) -> None:
    image = sparse(np.random.default_rng(0))
    if bright_background:
        image = 4000 - image
    stack = Stack(image, "YX")

    def share(foreground: float) -> float:
        draw = sampler([stack], (16, 16), foreground=foreground)
        return float(np.mean([draw.draw().std() > 10 for _ in range(200)]))

    assert share(0.0) < 0.25
    assert 0.45 < share(0.5) < 0.7
    assert share(1.0) > 0.95


def test_foreground_of_a_flat_image_does_not_hang() -> None:
    draw = sampler([Stack(np.ones((30, 30)), "YX")], (8, 8), foreground=1.0)
    assert torch.all(draw.draw() == 1)


def test_pairs_follow_one_another() -> None:
    sharp = np.random.default_rng(0).random((2, 20, 30, 30)).astype(np.float32)
    blurred = 3 * sharp
    options: dict[str, Any] = {
        "foreground": 0.5,
        "augmentation": Augmentation(rotation=9, translation=2, scale=0.1),
    }
    y = sampler([Stack(blurred, "TZYX")], (8, 8, 8), **options)
    x = sampler([Stack(sharp, "TZYX")], (8, 8, 8), **options)
    for _ in range(10):
        place, patch = y.draw_with_place()
        torch.testing.assert_close(patch, 3 * x.read(place))


def test_pairs_of_unequal_size_are_refused() -> None:
    y = sampler([Stack(np.ones((4, 40, 40)), "TYX")] * 2, (8, 8))
    small = sampler([Stack(np.ones((12, 12)), "YX", name="small")] * 2, (8, 8))
    single = sampler([Stack(np.ones((4, 40, 40)), "TYX")], (8, 8))
    places = [y.draw_with_place()[0] for _ in range(20)]
    with pytest.raises(DataError, match=r"small: .*pairs need equal sizes"):
        [small.read(place) for place in places]
    with pytest.raises(DataError, match="no image 2 to pair with"):
        [single.read(place) for place in places]


def test_a_short_axis_is_refused_or_reflected() -> None:
    data = numbered((3, 16, 16))
    stack = Stack(data, "ZYX", name="thin")
    with pytest.raises(
        DataError, match=r"thin: has \(3, 16, 16\).*\(8, 16, 16\).*reflection"
    ):
        sampler([stack], (8, 16, 16))
    patch = sampler([stack], (8, 16, 16), reflect=True).draw()
    planes = (patch[0, :, 0, 0].numpy() / 256).astype(int)
    assert planes.tolist() == [2, 1, 0, 1, 2, 1, 0, 1]
    plane = sampler([Stack(data[:1], "ZYX")], (4, 8, 8), reflect=True).draw()
    assert torch.equal(plane[0, 0], plane[0, 3])


def test_data_that_do_not_fit_are_refused() -> None:
    plane, grey = (
        Stack(np.ones((9, 9)), "YX", name="plane"),
        Stack(np.ones((9, 9)), "YX"),
    )
    colour = Stack(np.ones((9, 9, 3)), "YXS", name="colour")
    with pytest.raises(DataError, match="at least one"):
        sampler([], (4, 4))
    with pytest.raises(DataError, match=r"plane: is a plane of \(9, 9\).*dims 2"):
        sampler([plane], (4, 4, 4))
    with pytest.raises(DataError, match="colour has 3 channels and image 1"):
        sampler([grey, colour], (4, 4))
    with pytest.raises(AxesError, match=r"plane: no channel \[1\], it has 1"):
        sampler([plane], (4, 4), channels=[1])
    with pytest.raises(DataError, match="is empty"):
        sampler([Stack(np.ones((0, 9)), "YX")], (4, 4))
    with pytest.raises(DataError, match="complex"):
        sampler([Stack(np.ones((9, 9), complex), "YX")], (4, 4))


def test_nan_is_named_where_it_lies() -> None:
    data = np.ones((4, 30, 30, 30))
    data[2, 3, 17, 21] = np.nan
    draw = sampler([Stack(data, "TZYX", name="cell 4")], (20, 20, 20))
    with pytest.raises(
        DataError, match=r"cell 4: found nan at t = 2, z = 3, y = 17, x = 21"
    ):
        [draw.draw() for _ in range(100)]


def test_channels_and_images_of_one_file_are_told_apart(tmp_path: Path) -> None:
    series = {str(n): ("CZYX", image((2, 3, 8, 9), "uint8")) for n in range(2)}
    write_lif(tmp_path / "a.lif", series)
    Stack(image((2, 3, 8, 9)), "CZYX").save(tmp_path / "a.tif")
    one, other = (read_stack(tmp_path / "a.lif", image=n) for n in range(2))
    tiff = read_stack(tmp_path / "a.tif")
    check_disjoint([one], [other, tiff])
    for stack in (one, tiff):
        first, second = (stack.only_channel(channel) for channel in range(2))
        check_disjoint([first], [second])
        with pytest.raises(DataError, match="are the same image"):
            check_disjoint([first], [second, stack.only_channel(0)])


def test_no_image_may_be_in_both_domains(tmp_path: Path) -> None:
    def stacks(data: Any, axes: str = "ZYX") -> list[Stack]:
        return [Stack(data, axes, name="one")]

    data = numbered((6, 8, 8))
    path = tmp_path / "a.zarr"
    zarr.create_array(path, data=data, chunks=(2, 8, 8))
    zarr.create_array(tmp_path / "b.zarr", data=data, chunks=(2, 8, 8))
    mapped = np.memmap(tmp_path / "a.raw", np.float32, "w+", shape=(6, 8, 8))
    again = np.memmap(tmp_path / "a.raw", np.float32, "r", shape=(6, 8, 8))
    lazy = da.from_array(data)
    same = [
        (data, data),
        (data, data[2:4, :5]),
        (mapped, again),
        (zarr.open_array(path), zarr.open_array(path)),
        (lazy, da.from_array(data)),
    ]
    for one, other in same:
        with pytest.raises(DataError, match="one and one are the same image"):
            check_disjoint(stacks(one), stacks(np.ones((6, 8, 8))) + stacks(other))
    different = [
        (data, data.copy()),
        (data[:3], data[3:]),
        (data[:, 0::2], data[:, 1::2]),  # channels, as they lie in memory
        (zarr.open_array(path), zarr.open_array(tmp_path / "b.zarr")),
        (lazy, da.from_array(data + 1)),
        (zarr.open_array(path), data),
    ]
    for one, other in different:
        check_disjoint(stacks(one), stacks(other))
