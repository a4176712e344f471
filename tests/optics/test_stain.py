"""The toy staining task: two modalities of one field, and the mismatch between sets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.ndimage import label

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.phantoms import stained_cells

FEW, MANY = (2, 4), (4, 7)


def test_both_images_show_the_same_cells_with_opposite_contrast() -> None:
    drawn = stained_cells((64, 64), seed=3)
    again = stained_cells((64, 64), seed=3)
    np.testing.assert_array_equal(drawn.colour, again.colour)
    assert drawn.grey.shape == (64, 64)
    assert drawn.colour.shape == (64, 64, 3)
    assert 0 <= drawn.colour.min() <= drawn.colour.max() <= 1
    cells, around = drawn.cells, ~drawn.cells
    assert drawn.grey[cells].mean() > 3 * drawn.grey[around].mean()
    assert drawn.colour[cells].mean() < 0.8 * drawn.colour[around].mean()


@pytest.mark.parametrize("count", [FEW, MANY])
def test_as_many_cells_as_asked_for(count: tuple[int, int]) -> None:
    numbers = [
        label(stained_cells((64, 64), seed=s, count=count).cells)[1] for s in range(20)
    ]
    assert set(numbers) <= set(range(count[0], count[1] + 1))
    assert len(set(numbers)) > 1


@pytest.mark.parametrize(
    "wrong",
    [{"count": (0, 2)}, {"count": (3, 2)}, {"noise": -1.0}, {"shape": (64,)}],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(OpticsError, match="found"):
        stained_cells(**({"shape": (64, 64), "seed": 0} | wrong))
