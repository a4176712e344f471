"""How far an image is from the training images, measured by their features."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_blurgan import Stack
from napari_blurgan.models.strangeness import Strangeness, strangeness
from napari_blurgan.preparation.appearance import FEATURES, Appearance, appearance

SHAPE, VOXEL = (16, 128, 128), (0.3, 0.1, 0.1)


def recorded(seed: int, width: float = 1.6, bodies: int = 300) -> Stack:
    """Return blurred points of different brightness, with photon noise."""
    random, light = np.random.default_rng(seed), np.zeros(SHAPE)
    places = tuple(random.integers(0, n, bodies) for n in SHAPE)
    light[places] = random.uniform(2e4, 8e4, bodies)
    photons = random.poisson(gaussian_filter(light, (1.5, width, width)) + 20)
    return Stack(photons.astype(np.float32), "ZYX", VOXEL)


@cache
def known() -> Appearance:
    found = appearance([recorded(seed) for seed in range(4)])
    assert found is not None
    return found


def compared(stack: Stack) -> Strangeness:
    found = appearance([stack])
    assert found is not None
    return strangeness(found, known())


@pytest.mark.parametrize("seed", range(10, 16))
def test_images_of_one_kind_are_alike(seed: int) -> None:
    found = compared(recorded(seed))
    assert found.difference < 1
    assert abs(found.fading) < 1


@pytest.mark.parametrize("seed", range(10, 13))
def test_detail_that_fades(seed: int) -> None:
    assert compared(recorded(seed, width=2.2)).fading > 1
    assert compared(recorded(seed, width=1.1)).fading < -1


def test_another_structure() -> None:
    found = compared(recorded(10, bodies=8))
    assert found.difference > 1
    assert FEATURES[found.worst] in ("sparsity", "peaks")


def test_a_small_image_may_differ_more() -> None:
    found = appearance([recorded(10, width=2.2)])
    assert found is not None
    few = Appearance(found.features, found.voxels // 16, found.spread)
    assert (
        strangeness(few, known()).difference
        < compared(recorded(10, width=2.2)).difference
    )


def test_variation_in_the_training_is_tolerated() -> None:
    found = appearance([recorded(10, width=2.2)])
    assert found is not None
    one = known()
    spread = tuple(tuple(100 * v for v in row) for row in one.spread)
    varied = Appearance(one.features, one.voxels, spread)
    assert strangeness(found, varied).difference < strangeness(found, one).difference
