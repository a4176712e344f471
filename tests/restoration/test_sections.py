"""Volumes seen from three sides: cubes, turned views, and their mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch

from napari_blurgan import preset, restore, train
from napari_blurgan.data.sections import VIEWS, isotropic, seen_from, seen_from_above
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError, DataError
from napari_blurgan.restoration.events import Finished
from napari_blurgan.restoration.sections import apply_sections

VOXEL = (0.3, 0.1, 0.1)
SMALL: dict[str, Any] = {
    "saliency.alpha": 50,
    "saliency.beta": 50,
    "sampling.patch": 16,
    "reconstructor.base": 4,
    "discriminator.base": 4,
    "discriminator.layers": 1,
    "optimiser.generator_rate": 1e-9,
    "precision": "float32",
}
"""Next to nothing is learned."""


class Bright:
    """Multiplies a plane by two, and remembers the sizes it saw."""

    halo = (0, 0)
    stride = (1, 1)
    device = torch.device("cpu")

    def __init__(self) -> None:
        self.sizes = set()

    def channels_out(self, channels_in: int) -> int:
        return channels_in

    def __call__(self, image: torch.Tensor, /) -> torch.Tensor:
        self.sizes.add(tuple(image.shape[2:]))
        return 2 * image


@pytest.fixture
def ramp() -> Stack:
    z, y, x = np.meshgrid(*map(np.arange, (5, 6, 7)), indexing="ij")
    return Stack((30.0 * z + y + 0.1 * x).astype(np.float32), "ZYX", VOXEL, "ramp")


def result_of(*args: Any, **options: Any) -> Stack:
    events = list(apply_sections(*args, **options))
    assert isinstance(events[-1], Finished)
    return events[-1].result


def test_cubes_keep_a_linear_volume_and_its_planes(ramp: Stack) -> None:
    cube = isotropic(ramp)
    assert cube.data.shape == (13, 6, 7)
    assert cube.voxel_size == pytest.approx((0.1, 0.1, 0.1))
    np.testing.assert_allclose(cube.data[::3], ramp.data, rtol=1e-5)
    np.testing.assert_allclose(np.diff(cube.data, axis=0), 10, rtol=1e-4)


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_the_same_voxels_under_other_names(ramp: Stack, view: str) -> None:
    turned = seen_from(ramp, view)
    assert seen_from_above(turned.axes, view) == "ZYX"
    assert sorted(turned.spatial_shape) == sorted(ramp.spatial_shape)
    lengths = dict(zip(ramp.axes, ramp.voxel_size, strict=True))
    across = "ZYX"[turned.axes.index("Z")]
    assert turned.voxel_size[0] == lengths[across]


def test_the_mean_over_the_views_lies_where_the_volume_lay(
    ramp: Stack, tmp_path: Path
) -> None:
    bright = Bright()
    views = ("xy", "xz", "yz")
    result = result_of([bright], ramp, None, views, tile=(99, 99))
    np.testing.assert_allclose(result.data, 2 * isotropic(ramp).data, rtol=1e-6)
    assert result.axes == "ZYX"
    assert bright.sizes >= {(6, 7), (13, 7), (13, 6)}
    path = tmp_path / "r.ome.tif"
    kept = result_of([bright], ramp, path, ("xz",), dtype="uint16")
    assert kept.voxel_size == pytest.approx((0.1, 0.1, 0.1))
    np.testing.assert_array_equal(tifffile.imread(path), np.rint(result.data))


def test_what_has_no_sections_is_refused(ramp: Stack, tmp_path: Path) -> None:
    with pytest.raises(AxesError, match="is a plane"):
        isotropic(Stack(ramp.data[0], "YX"))
    with pytest.raises(DataError, match="need the voxel size"):
        isotropic(Stack(ramp.data, "ZYX"))
    with pytest.raises(DataError, match=r"written as \.ome\.tif"):
        result_of([Bright()], ramp, tmp_path / "r.zarr", ("xz",))


def test_isotropic_starts_from_the_interpolated_volume() -> None:
    """With the brightness of the planes, which are not smoothed by interpolation."""
    grains = np.random.default_rng(0).poisson(50, (12, 40, 40)).astype(np.float32)
    stack = Stack(grains, "ZYX", VOXEL, "grains")
    recipe = preset("isotropic").updated(SMALL)
    model = train(recipe, stack, stack, device="cpu", steps=1)
    made = np.asarray(restore(model, stack, precision="float32").data)
    cube = np.asarray(isotropic(stack).data)
    assert np.corrcoef(made.ravel(), cube.ravel())[0, 1] > 0.9999
