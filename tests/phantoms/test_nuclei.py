"""Nuclei with a known ground truth."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.ndimage import label

from napari_blurgan.optics.phantoms._nuclei import nuclei

SHAPE, VOXEL = (16, 48, 48), (0.3, 0.15, 0.15)


def draw(seed: int = 1, **options: Any) -> np.ndarray:
    return nuclei(SHAPE, VOXEL, seed=seed, **options)


def test_nuclei_do_not_overlap_and_leave_background() -> None:
    image = nuclei((16, 96, 96), VOXEL, seed=3, density=2.0, diameter=3.0)
    bodies, count = label(image > 0)
    assert count > 1
    assert np.count_nonzero(bodies) < 0.9 * bodies.size
