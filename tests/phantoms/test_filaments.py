"""Microtubules with a known ground truth."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_blurgan.optics.phantoms._filaments import microtubules

SHAPE, VOXEL = (16, 48, 48), (0.3, 0.15, 0.15)


def draw(seed: int = 1, **options: Any) -> np.ndarray:
    return microtubules(SHAPE, VOXEL, seed=seed, **options)


def test_thicker_filaments_fill_more() -> None:
    thin, thick = (draw(thickness=t) for t in (0.3, 0.6))
    assert np.count_nonzero(thick > 0.3) > np.count_nonzero(thin > 0.3)
