"""What holds for every synthetic structure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from napari_blurgan.optics.phantoms import (
    beads,
    membranes,
    microtubules,
    nuclei,
    vesicles,
)

Draw = Callable[..., np.ndarray]
SHAPE, VOXEL = (16, 48, 48), (0.3, 0.15, 0.15)


@pytest.mark.parametrize("draw", [beads, membranes, microtubules, nuclei, vesicles])
def test_the_density_is_between_zero_and_one_and_follows_the_seed(draw: Draw) -> None:
    image = draw(SHAPE, VOXEL, seed=1)
    assert image.shape == SHAPE
    assert image.dtype == np.float32
    assert 0 <= image.min() < image.max() <= 1
    np.testing.assert_array_equal(draw(SHAPE, VOXEL, seed=1), image)
    assert not np.array_equal(draw(SHAPE, VOXEL, seed=2), image)
