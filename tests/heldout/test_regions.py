"""The part of an image that is looked at before a training."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan import Optics, Stack, preset
from napari_blurgan.heldout.regions import REGION, middle_of, regions_of
from napari_blurgan.preparation.levels import calibrate
from napari_blurgan.preparation.site import Known, Site


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((10, 20, 30), [(3, 7), (5, 15), (0, 30)]),
        ((2, 10, 100), [(0, 2), (0, 10), (30, 70)]),
        ((20, 30), [(0, 20), (0, 30)]),
        ((60, 30), [(10, 50), (0, 30)]),
    ],
)
def test_it_is_the_middle_and_no_larger(
    shape: tuple[int, ...], expected: list[tuple[int, int]]
) -> None:
    found = middle_of(shape, (4, 10, 40))
    assert [(s.start, s.stop) for s in found] == expected


def site(stack: Stack, dims: int) -> Site:
    recipe = preset("self-supervised").updated({"dims": dims})
    calibration = calibrate(recipe, [stack], [])
    known = Known(optics=Optics(1.2, 1.33, 520))
    return Site(recipe, [stack], [], stack.voxel_size, calibration, known)


def field(shape: tuple[int, ...], corner: tuple[int, ...]) -> np.ndarray:
    """Return noise with one bright structure of 40 voxels."""
    image = np.random.default_rng(0).normal(100, 2, shape).astype(np.float32)
    image[tuple(slice(c, c + 40) for c in corner)] += 500
    return image


@pytest.mark.parametrize("corner", [(4, 5, 260), (4, 130, 130), (4, 250, 10)])
def test_of_a_large_field_the_part_with_structure_is_examined(
    corner: tuple[int, ...],
) -> None:
    stack = Stack(field((16, 300, 300), corner), "ZYX", (0.2, 0.1, 0.1))
    (found,) = regions_of(site(stack, 3))
    assert found.shape == (16, *REGION[1:])
    bright = found > (found.max() + found.min()) / 2
    assert bright.sum() >= 12 * 36 * 36


def test_of_planes_the_middle_one_is_examined() -> None:
    planes = field((9, 60, 50), (0, 10, 5))
    planes[4] += 1000
    stack = Stack(planes, "ZYX", (0.2, 0.1, 0.1))
    where = site(stack, 2)
    (found,) = regions_of(where)
    np.testing.assert_allclose(found, where.calibration.y.apply(planes[4]))


def test_the_first_and_the_last_time_points_are_examined() -> None:
    frames = np.stack([np.full((20, 24), 100 + 50 * t, np.float32) for t in range(5)])
    frames[:, 5] += 10
    where = site(Stack(frames, "TYX", (None, 0.1, 0.1)), 2)
    found = regions_of(where)
    np.testing.assert_allclose(found, where.calibration.y.apply(frames[[0, 4]]))
