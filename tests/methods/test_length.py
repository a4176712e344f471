"""How long a training may be."""

from __future__ import annotations

import pytest

from napari_blurgan.errors import RecipeError
from napari_blurgan.methods.length import LARGEST_SEED, MOST_STEPS, check_length


@pytest.mark.parametrize(
    ("steps", "minutes", "seed"),
    [(1, None, 0), (MOST_STEPS, None, LARGEST_SEED), (None, 0.5, None)],
)
def test_what_is_in_range_passes(
    steps: int | None, minutes: float | None, seed: int | None
) -> None:
    check_length(steps, minutes, seed)


@pytest.mark.parametrize(
    ("steps", "minutes", "seed", "message"),
    [
        (5, 5, None, "either steps or minutes"),
        (0, None, None, "steps"),
        (MOST_STEPS + 1, None, None, "steps"),
        (1.5, None, None, "steps"),
        (None, 0, None, "minutes"),
        (None, float("nan"), None, "minutes"),
        (None, None, -1, "seed"),
        (None, None, LARGEST_SEED + 1, "seed"),
    ],
)
def test_what_is_not_is_refused(
    steps: float | None, minutes: float | None, seed: int | None, message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        check_length(steps, minutes, seed)
