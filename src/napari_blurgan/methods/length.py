"""Limits of the length of a training and of its seed, without torch."""

from __future__ import annotations

from napari_blurgan.checks import in_range, whole
from napari_blurgan.errors import RecipeError

__all__ = ["LARGEST_SEED", "MOST_MINUTES", "MOST_STEPS", "check_length"]

MOST_STEPS = 10**7
MOST_MINUTES = 60 * 24 * 30
LARGEST_SEED = 2**31 - 1


def check_length(steps: int | None, minutes: float | None, seed: int | None) -> None:
    """Refuse an impossible length of training, or an impossible seed.

    Raises
    ------
    RecipeError
        If both lengths are given, or a value is out of its range.
    """
    if steps is not None and minutes is not None:
        raise RecipeError("give either steps or minutes, not both")
    if steps is not None:
        whole("steps", steps, 1, MOST_STEPS, error=RecipeError)
    if minutes is not None:
        limits = 0, MOST_MINUTES
        in_range("minutes", minutes, *limits, above=True, error=RecipeError)
    if seed is not None:
        whole("seed", seed, 0, LARGEST_SEED, error=RecipeError)
