"""The part of an image that is looked at before a training."""

from __future__ import annotations

import pytest

from napari_blurgan.estimates.regions import middle_of


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((10, 20, 30), [(3, 7), (5, 15), (0, 30)]),
        ((2, 10, 100), [(0, 2), (0, 10), (30, 70)]),
        ((20, 30), [(0, 20), (0, 30)]),
        ((60, 30), [(10, 50), (0, 30)]),
    ],
)
def test_it_is_the_middle_and_no_larger(
    shape: tuple[int, ...], expected: list[tuple[int, int]]
) -> None:
    found = middle_of(shape, (4, 10, 40))
    assert [(s.start, s.stop) for s in found] == expected
