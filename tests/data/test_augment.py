"""Augmentation: exact where it can be, physical where it must be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_blurgan.data.stack import VoxelSize
from napari_blurgan.errors import RecipeError
from napari_blurgan.sampling.augment import Augmentation, Transform

CUBIC: VoxelSize = (0.1, 0.1, 0.1)
KEEP = (False, False, False)


def blob(shape: tuple[int, ...], centre: tuple[float, ...]) -> np.ndarray:
    """A Gaussian of sigma 2, as (1, z, y, x) or (1, y, x)."""
    grid = np.indices(shape).astype(np.float32)
    middle = np.array(centre, np.float32).reshape(-1, *(1,) * len(shape))
    distance = ((grid - middle) ** 2).sum(0)
    return np.exp(-distance / 8)[None].astype(np.float32)


def centroid(image: np.ndarray) -> np.ndarray:
    grid = np.indices(image.shape[1:])
    return (grid * image[0]).sum((1, 2, 3)[: image.ndim - 1]) / image.sum()


def changed(image: np.ndarray, **options: Any) -> np.ndarray:
    """The image changed amid dark surroundings."""
    dims = image.ndim - 1
    region = np.pad(image, [(0, 0)] + [(32, 32)] * dims)
    return Transform(KEEP[:dims], **options)(region, (32,) * dims, image.shape[1:])


@given(
    seed=st.integers(0, 2**32),
    shape=st.sampled_from([(4, 6, 6), (4, 6, 8), (7, 7), (6, 8)]),
    voxel=st.sampled_from([CUBIC, (0.3, 0.1, 0.1), (0.3, 0.1, 0.2), (None,) * 3]),
)
def test_flips_and_turns_only_move_voxels(
    seed: int, shape: tuple[int, ...], voxel: VoxelSize
) -> None:
    image = np.arange(np.prod(shape), dtype=np.float32).reshape(1, *shape)
    transform = Augmentation().draw(np.random.default_rng(seed), shape, voxel)
    result = transform(image, (0,) * len(shape), shape)
    assert result.shape == image.shape
    assert np.array_equal(np.sort(result.ravel()), image.ravel())


def orientations(
    augmentation: Augmentation, shape: tuple[int, ...], voxel: VoxelSize
) -> int:
    image = np.arange(np.prod(shape), dtype=np.float32).reshape(1, *shape)
    rng = np.random.default_rng(0)
    start = (0,) * len(shape)
    draws = (
        augmentation.draw(rng, shape, voxel)(image, start, shape) for _ in range(300)
    )
    return len({draw.tobytes() for draw in draws})


@pytest.mark.parametrize(
    ("shape", "voxel", "options", "count"),
    [
        ((4, 4, 4), CUBIC, {}, 16),
        ((4, 4, 4), CUBIC, {"mirrors": "yx"}, 8),
        ((4, 4, 4), (0.3, 0.1, 0.1), {}, 16),
        ((4, 4, 4), (0.3, 0.1, 0.2), {}, 8),
        ((4, 4, 6), CUBIC, {}, 8),
        ((4, 4), CUBIC, {}, 8),
        ((4, 4), CUBIC, {"mirrors": ""}, 4),
        ((4, 4), (None, None, None), {"mirrors": ""}, 4),
        ((4, 4), (None, None, 0.1), {"mirrors": ""}, 4),
        ((4, 6), CUBIC, {"mirrors": ""}, 2),
        ((4, 4), CUBIC, {"quarter_turns": False}, 4),
        ((4, 4), CUBIC, {"quarter_turns": False, "mirrors": ""}, 1),
    ],
)
def test_as_many_orientations_as_the_geometry_allows(
    shape: tuple[int, ...], voxel: VoxelSize, options: dict[str, Any], count: int
) -> None:
    assert orientations(Augmentation(**options), shape, voxel) == count


def test_rotation_turns_about_the_centre() -> None:
    image = blob((33, 33), (16, 24))
    turned = changed(image, rotation=30.0)
    # Counter-clockwise as seen with y pointing down: from the right upwards.
    expected = (16 - 8 * np.sin(np.pi / 6), 16 + 8 * np.cos(np.pi / 6))
    np.testing.assert_allclose(centroid(turned), expected, atol=0.05)
    quarter = Transform((False, False), quarter_turns=1)(image, (0, 0), (33, 33))
    np.testing.assert_allclose(changed(image, rotation=90.0), quarter, atol=1e-5)


def test_rotation_respects_pixels_that_are_not_square() -> None:
    # Pixels twice as high as wide: 8 columns to the right become 4 rows up, and 5
    # rows up become 10 columns to the left.
    turned = changed(blob((49, 49), (19, 32)), rotation=90.0, pixel_ratio=2.0)
    np.testing.assert_allclose(centroid(turned), (20, 14), atol=0.05)


def test_rotation_keeps_to_the_plane() -> None:
    turned = changed(blob((17, 33, 33), (11, 16, 24)), rotation=30.0)
    assert centroid(turned)[0] == pytest.approx(11, abs=0.05)


def test_scale_magnifies() -> None:
    enlarged = changed(blob((17, 33, 33), (8, 16, 22)), scale=1.25)
    np.testing.assert_allclose(centroid(enlarged), (8, 16, 16 + 6 * 1.25), atol=0.05)
    assert enlarged.sum() == pytest.approx(
        blob((17, 33, 33), (8, 16, 22)).sum() * 1.25**3, rel=0.01
    )


def test_translation_moves_by_voxels() -> None:
    moved = changed(blob((17, 33, 33), (8, 16, 16)), translation=(1.0, -2.5, 3.0))
    np.testing.assert_allclose(centroid(moved), (9, 13.5, 19), atol=0.05)


def test_intensity_multiplies() -> None:
    image = blob((8, 8), (4, 4))
    np.testing.assert_allclose(changed(image, intensity=1.5), 1.5 * image)


@given(
    rotation=st.floats(0, 45),
    scale=st.floats(0, 0.3),
    translation=st.floats(0, 3),
    seed=st.integers(0, 1000),
)
def test_the_margin_is_enough(
    rotation: float, scale: float, translation: float, seed: int
) -> None:
    shape = (5, 12, 15)
    augmentation = Augmentation(rotation=rotation, scale=scale, translation=translation)
    margin = augmentation.margin(shape)
    # What lies beyond the margin is bright and never shows.
    inner = [n + 2 * m for n, m in zip(shape, margin, strict=True)]
    region = np.pad(
        np.ones((1, *inner), np.float32),
        [(0, 0)] + [(2, 2)] * 3,
        constant_values=1000,
    )
    start = [m + 2 for m in margin]
    transform = augmentation.draw(np.random.default_rng(seed), shape, CUBIC)
    np.testing.assert_allclose(transform(region, start, shape), 1, atol=1e-3)


def test_no_augmentation_needs_no_margin() -> None:
    assert Augmentation().margin((8, 16, 16)) == (0, 0, 0)


def test_same_seed_same_change() -> None:
    augmentation = Augmentation(rotation=9, scale=0.1, translation=2, intensity=0.1)
    draws = [
        augmentation.draw(np.random.default_rng(seed), (8, 8, 8), CUBIC)
        for seed in (1, 1, 2)
    ]
    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize(
    "options", [{"scale": 1.0}, {"rotation": -1.0}, {"intensity": 1}]
)
def test_impossible_ranges_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match="augmentation by"):
        Augmentation(**options)
