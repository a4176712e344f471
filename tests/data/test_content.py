"""An image is known by its pixels, not by its name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import zarr

from napari_blurgan.data import content
from napari_blurgan.data.content import content_digest
from napari_blurgan.data.stack import Stack

IMAGE = np.random.default_rng(0).integers(0, 999, (3, 2, 5, 20, 30), np.uint16)


def digest(image: np.ndarray, axes: str = "TCZYX", name: str = "a") -> Any:
    return content_digest(Stack(image, axes, name=name))


@pytest.mark.parametrize("place", [(0, 0, 0, 0, 0), (2, 1, 4, 19, 29), (1, 0, 2, 7, 9)])
def test_any_voxel_tells_images_apart(place: Any) -> None:
    other = IMAGE.copy()
    other[place] += 1
    assert digest(other) != digest(IMAGE)


def test_neither_name_nor_kind_of_array_matters() -> None:
    lazy = zarr.array(IMAGE, chunks=(1, 1, 5, 8, 8))
    assert digest(lazy, name="b") == digest(IMAGE)


def test_axes_shape_and_type_do() -> None:
    turned = [digest(IMAGE, "CTZYX"), digest(IMAGE.reshape(2, 3, 5, 20, 30))]
    assert len({digest(IMAGE), digest(IMAGE.astype(np.int32)), *turned}) == 4


@pytest.mark.parametrize(
    "place", [(0, 0, 0, 0, 0), (2, 1, 4, 19, 29), (1, 1, 2, 10, 15)]
)
def test_of_a_large_image_pieces_all_over_it_are_read(
    monkeypatch: pytest.MonkeyPatch, place: Any
) -> None:
    whole = digest(IMAGE)
    monkeypatch.setattr(content, "WHOLE", 1000)
    monkeypatch.setattr(content, "PIECE", 4)
    other = IMAGE.copy()
    other[place] += 1
    assert digest(other) != digest(IMAGE) != whole
