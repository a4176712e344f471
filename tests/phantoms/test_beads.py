"""Beads with a known ground truth."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_blurgan.optics.phantoms._beads import bead_positions, beads

SHAPE, VOXEL = (16, 48, 48), (0.3, 0.15, 0.15)


def draw(seed: int = 1, **options: Any) -> np.ndarray:
    return beads(SHAPE, VOXEL, seed=seed, **options)


def test_the_positions_are_those_of_the_spheres() -> None:
    image = draw()
    places = bead_positions(SHAPE, VOXEL, seed=1)
    inside = [
        p for p in places if all(1 <= v < n - 1 for v, n in zip(p, SHAPE, strict=True))
    ]
    assert inside
    for place in inside:
        assert image[tuple(int(v) for v in np.rint(place))] > 0
