"""Planes of any format are decoded once, when they are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_blurgan.errors import DataError
from napari_blurgan.headers import limits
from napari_blurgan.reading.planewise import PlanewiseArray

SHAPE = (2, 3, 4, 5)
PIXELS = np.arange(120, dtype=np.int16).reshape(SHAPE)


class Planes(PlanewiseArray):
    """Planes of memory, with a list of those that were decoded."""

    def __init__(self) -> None:
        self.read: list[int] = []
        super().__init__(Path("a.any"), SHAPE, np.int16, 20)

    def decoded(self, number: int) -> NDArray[Any]:
        self.read.append(number)
        return PIXELS.reshape(6, 20)[number]


@pytest.mark.parametrize(
    "index", [0, (1, 2), (slice(None), 1), (..., 3), (1, ..., slice(1, 4, 2)), ...]
)
def test_an_index_gives_what_numpy_gives(index: Any) -> None:
    np.testing.assert_array_equal(Planes()[index], PIXELS[index])


def test_only_the_planes_asked_for_are_decoded_and_kept() -> None:
    planes = Planes()
    for _ in range(2):
        np.testing.assert_array_equal(planes[1, :2, 0], PIXELS[1, :2, 0])
    assert planes.read == [3, 4]


def test_the_array_describes_itself() -> None:
    planes = Planes()
    assert (planes.ndim, planes.shape, planes.dtype) == (4, SHAPE, np.int16)
    np.testing.assert_array_equal(np.asarray(planes, np.float32), PIXELS)


def test_wrong_indices_are_errors() -> None:
    with pytest.raises(IndexError, match="too many indices"):
        Planes()[0, 0, 0, 0, 0]
    with pytest.raises(TypeError, match="integers, slices and Ellipsis"):
        Planes()[np.array([0, 1])]


def test_a_plane_of_another_size_is_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Planes, "decoded", lambda self, number: np.zeros(7))
    with pytest.raises(DataError, match=r"a.any: plane 2 cannot be decoded"):
        Planes()[0, 2]


def test_more_than_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "available_memory", lambda: 100)
    with pytest.raises(DataError, match="to read 6 planes would take 240 bytes"):
        Planes()[...]
