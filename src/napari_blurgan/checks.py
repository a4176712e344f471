"""Checks of arguments: known names, numbers in range, free paths."""

from __future__ import annotations

import difflib
import errno
import math
import os
from collections.abc import Iterable
from numbers import Real
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from napari_blurgan.errors import BlurGANError, DataError, RecipeError

__all__ = [
    "VOXEL_RANGE",
    "as_path",
    "check_parent",
    "checked_voxels",
    "did_you_mean",
    "in_range",
    "known_names",
    "refuse_existing",
    "refuse_input",
    "same_file",
    "span",
    "whole",
]

VOXEL_RANGE = 1e-4, 1e4
"""Range of the edge of a voxel in µm, from a tenth of a nanometre to a centimetre."""

VoxelSize = tuple[float | None, float | None, float | None]


@runtime_checkable
class SupportsItem(Protocol):
    """A scalar of numpy, torch or the like."""

    def item(self) -> Any:
        """Return it as a Python number."""


def as_path(
    path: str | os.PathLike[str], error: type[BlurGANError] = DataError
) -> Path:
    """Return a path that is valid on this system, whether or not it exists.

    Raises
    ------
    BlurGANError
        Of the kind `error`, if it is not a path, is too long or has a null character.
    """
    try:
        place = Path(path)
        os.lstat(place)
    except (TypeError, ValueError) as problem:
        raise error(f"{path!r} is not a file path ({problem})") from problem
    except OSError as problem:
        if problem.errno == errno.ENAMETOOLONG:
            raise error(f"{path}: is too long for a file path") from problem
    return place


def refuse_existing(path: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Refuse to write to an existing path, unless it may be overwritten.

    Raises
    ------
    DataError
        If `path` exists and `overwrite` is false.
    """
    if not overwrite and os.path.lexists(as_path(path)):
        raise DataError(
            f"{path}: exists already and is not overwritten without --overwrite "
            "(in Python overwrite=True)"
        )


def same_file(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Return whether two paths lead to the same place; links may form cycles."""
    return os.path.realpath(one) == os.path.realpath(other)


def refuse_input(
    out: str | os.PathLike[str],
    source: str | os.PathLike[str],
    what: str = "the image",
) -> None:
    """Refuse to write over an input, or into its folder.

    Raises
    ------
    DataError
        If `out` is `source`, by whatever name, or lies within it.
    """
    place, origin = os.path.realpath(out), os.path.realpath(source)
    if place == origin:
        raise DataError(f"{out}: is {what} itself; choose another place to write to")
    if Path(origin) in Path(place).parents:
        raise DataError(f"{out}: lies within {what}; choose another place to write to")


def check_parent(path: str | os.PathLike[str]) -> None:
    """Refuse a path to which nothing can be written, before any work.

    Raises
    ------
    DataError
        If what would have to be a folder is a file, or may not be written to.
    """
    parent = as_path(path).absolute().parent
    while not os.path.lexists(parent):
        parent = parent.parent
    if not parent.is_dir():
        raise DataError(f"{path}: cannot be written, {parent} is no folder")
    if not os.access(parent, os.W_OK):
        raise DataError(f"{path}: cannot be written, {parent} is read-only")


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return ``"; did you mean NAME?"`` for the name nearest to a word, or nothing."""
    near = difflib.get_close_matches(word, list(names), 1)
    return f"; did you mean {near[0]}?" if near else ""


def known_names(what: str, given: Iterable[str], accepted: Iterable[str]) -> None:
    """Refuse a keyword unknown to `what`, suggesting the nearest known one.

    Raises
    ------
    RecipeError
        If one of `given` is not among `accepted`.
    """
    names = sorted(accepted)
    for word in given:
        if word not in names:
            hint = did_you_mean(word, names)
            more = f"{hint} It" if hint else "; it"
            raise RecipeError(
                f"{what} takes no {word!r}{more} takes {', '.join(names)}"
            )


def in_range(
    name: str,
    value: object,
    least: float,
    most: float = math.inf,
    *,
    unit: str = "",
    above: bool = False,
    error: type[BlurGANError] = DataError,
) -> float:
    """Return a finite number between two bounds.

    Parameters
    ----------
    name : str
        What to call it in the message.
    value : object
        What was given.
    least, most : float
        Smallest and largest value, both allowed; without `most`, any finite number.
    unit : str
        Of the bounds, for the message.
    above : bool
        Whether `least` itself is too small.
    error : type
        What to raise.

    Raises
    ------
    BlurGANError
        Of the kind `error`, with the range, if it is no such number.
    """
    number = _real(value)
    too_small = number <= least if above else number < least
    if not math.isfinite(number) or too_small or number > most:
        raise error(
            f"{name} must be {span(least, most, unit, above=above)}; found {value!r}"
        )
    return number + 0.0  # of the two zeros the one without a sign


def whole(
    name: str,
    value: object,
    least: int,
    most: int,
    *,
    error: type[BlurGANError] = DataError,
) -> int:
    """Return a whole number between two bounds, inclusive.

    Raises
    ------
    BlurGANError
        Of the kind `error`, with the range, if it is no such number.
    """
    try:
        number = in_range(name, value, least, most)
    except DataError:
        number = math.inf
    if not number.is_integer():
        raise error(
            f"{name} must be a whole number {span(least, most)}; found {value!r}"
        )
    return int(number)


def checked_voxels(value: object, name: str = "voxel_size") -> VoxelSize:
    """Return (z, y, x) in micrometres, None where unknown; two are (y, x).

    Raises
    ------
    DataError
        If there are not two or three, or one is no length of a voxel.
    """
    try:
        sizes = list(value) if isinstance(value, Iterable) else []
    except TypeError:  # an array without axes
        sizes = []
    if isinstance(value, str) or len(sizes) not in (2, 3):
        raise DataError(f"{name} is z, y, x (or y, x) in µm; found {value!r}")
    z, y, x = (
        None if size is None else in_range(name, size, *VOXEL_RANGE, unit="µm")
        for size in [*[None] * (3 - len(sizes)), *sizes]
    )
    return z, y, x


def _real(value: object) -> float:
    """Return a real number as a float; NaN for anything else."""
    try:
        number = value.item() if isinstance(value, SupportsItem) else value
        if isinstance(number, bool) or not isinstance(number, Real):
            return math.nan
        return float(number)
    except (OverflowError, ValueError, RuntimeError):  # too large, or several
        return math.nan


def span(least: float, most: float, unit: str = "", *, above: bool = False) -> str:
    """Return a range in words."""
    of = f" {unit}" if unit else ""
    if most == math.inf:
        return f"{'above' if above else 'at least'} {least:g}{of}"
    if above:
        return f"above {least:.10g} and at most {most:.10g}{of}"
    return f"from {least:.10g} to {most:.10g}{of}"
