"""Vesicles with a known ground truth."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_blurgan.optics.phantoms._shells import ellipsoid_distance, vesicles

SHAPE, VOXEL = (16, 48, 48), (0.3, 0.15, 0.15)


def draw(seed: int = 1, **options: Any) -> np.ndarray:
    return vesicles(SHAPE, VOXEL, seed=seed, **options)


def test_the_distance_to_a_sphere_is_exact() -> None:
    z = np.linspace(-1, 1, 21)
    offsets = [z[:, None, None], np.zeros((1, 1, 1)), np.zeros((1, 1, 1))]
    found = ellipsoid_distance(offsets, np.array([0.5, 0.5, 0.5])).ravel()
    expected = np.abs(z) - 0.5
    np.testing.assert_allclose(found[z != 0], expected[z != 0], atol=1e-6)
