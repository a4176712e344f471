"""What is set aside is never trained on, and nothing of it is lost."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan.data.colour import without_alpha
from napari_blurgan.data.regions import read_region
from napari_blurgan.data.stack import Stack
from napari_blurgan.data.view import RangeView
from napari_blurgan.sampling.held_out import set_aside


def numbered(axes: str, *shape: int) -> Stack:
    return Stack(np.arange(np.prod(shape)).reshape(shape), axes)


@pytest.mark.parametrize(
    ("stack", "patch", "axis", "spared"),
    [
        (numbered("TYX", 20, 8, 8), (8, 8), 0, 2),
        (numbered("ZYX", 20, 8, 8), (8, 8), 0, 2),
        (numbered("ZYX", 20, 40, 30), (8, 8, 8), 0, 8),
        (numbered("ZYX", 9, 40, 30), (8, 8, 8), 1, 8),
        (numbered("CYX", 2, 40, 90), (8, 8), 2, 9),
        (numbered("YXS", 40, 30, 3), (8, 8), 0, 8),
    ],
)
def test_the_end_of_an_image_is_set_aside(
    stack: Stack, patch: tuple[int, ...], axis: int, spared: int
) -> None:
    (kept,), (aside,) = set_aside([stack], 0.1, patch)
    assert aside.data.shape[axis] == spared
    both = np.concatenate([kept.data[:], aside.data[:]], axis)
    np.testing.assert_array_equal(both, stack.data)


def test_of_many_images_some_are_set_aside_whole() -> None:
    stacks = [numbered("YX", 8, 8) for _ in range(25)]
    kept, aside = set_aside(stacks, 0.1, (8, 8))
    assert (len(kept), len(aside)) == (23, 2)
    assert set(map(id, kept + aside)) == set(map(id, stacks))


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_what_cannot_be_spared_is_kept(share: float) -> None:
    small = numbered("YX", 12, 12)
    kept, aside = set_aside([small], share, (8, 8))
    assert kept == [small]
    assert aside == []


def test_a_stretch_reads_like_the_array_it_is_cut_from() -> None:
    array = np.arange(60).reshape(5, 4, 3)
    view = RangeView(array, 1, 1, 4)
    np.testing.assert_array_equal(view[2], array[2, 1:4])
    np.testing.assert_array_equal(view[1:3, 1:3], array[1:3, 2:4])
    np.testing.assert_array_equal(view[:, -1, ::2], array[:, 3, ::2])


def test_opacity_is_no_intensity() -> None:
    picture = numbered("YXS", 6, 5, 4)
    opaque = without_alpha(picture)
    assert opaque.channels == 3
    region = read_region(opaque, 0, (1, 1), (4, 3), range(3))
    np.testing.assert_array_equal(
        region, np.moveaxis(picture.data[1:5, 1:4, :3], -1, 0)
    )
    assert without_alpha(opaque) is opaque
