"""Recipes of older versions, brought up to date one version at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from napari_blurgan.errors import RecipeError

__all__ = ["VERSION", "migrate"]

VERSION: Final[Literal[1]] = 1

# MIGRATIONS[n] turns the settings of version n into those of version n + 1.
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


def migrate(settings: dict[str, Any]) -> dict[str, Any]:
    """Return `settings` as the present version writes them.

    Raises
    ------
    RecipeError
        If they come from a newer version of the program.
    """
    version = settings.get("version", VERSION)
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise RecipeError(
            f"the recipe is of version {version!r}, this program reads versions "
            f"1 to {VERSION}: update napari-blurgan"
        )
    for old in range(version, VERSION):
        settings = MIGRATIONS[old](settings)
    return settings | {"version": VERSION}
