"""Beads with a known ground truth."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_blurgan.optics.phantoms._beads import bead_positions, beads

SHAPE, VOXEL = (16, 48, 48), (0.3, 0.15, 0.15)


def draw(seed: int = 1, **options: Any) -> np.ndarray:
    return beads(SHAPE, VOXEL, seed=seed, **options)


def test_the_density_is_between_zero_and_one_and_follows_the_seed() -> None:
    image = draw()
    assert image.shape == SHAPE
    assert image.dtype == np.float32
    assert 0 <= image.min() < image.max() <= 1
    np.testing.assert_array_equal(draw(), image)
    assert not np.array_equal(draw(seed=2), image)


def test_the_positions_are_those_of_the_spheres() -> None:
    image = draw()
    places = bead_positions(SHAPE, VOXEL, seed=1)
    inside = [
        p for p in places if all(1 <= v < n - 1 for v, n in zip(p, SHAPE, strict=True))
    ]
    assert inside
    for place in inside:
        assert image[tuple(int(v) for v in np.rint(place))] > 0
