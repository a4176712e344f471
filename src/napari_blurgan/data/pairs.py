"""Pairs of images, and two unpaired domains made from them.

Li et al. (2021) train without pairs on data that have some: one image of each pair,
chosen at random, goes to its domain and the other is left out, so that no field is in
both domains.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_blurgan.errors import DataError

__all__ = ["IMAGES", "Pair", "halves", "pairs_in"]

IMAGES = (".tif", ".tiff", ".zarr")
"""Suffixes of files that are read as images."""

BETWEEN_WORDS = re.compile(r"[ _.-]+")


@dataclass(frozen=True)
class Pair:
    """Two images of one field.

    Parameters
    ----------
    name : str
        What the two have in common.
    a, b : Path
        Of domain A and of domain B.
    """

    name: str
    a: Path
    b: Path


def pairs_in(paths: Sequence[Path]) -> list[Pair]:
    """Return the pairs among files and folders, sorted by their names.

    The images of two folders are paired by their names; so are those of two folders
    within a single one. In a list of files, or a folder of them, two belong together if
    their names differ in only one word, as ``cell1_phase.tif`` and ``cell1_dapi.tif``;
    A is the word that comes first in the alphabet.

    Raises
    ------
    DataError
        If a path does not exist, an image has no partner, or more than one.
    """
    for path in paths:
        if not path.exists():
            raise DataError(f"{path}: no such file or folder")
    folders = [p for p in paths if _is_folder(p)]
    if len(paths) == 1 and folders:
        within = sorted(p for p in paths[0].iterdir() if _is_folder(p))
        within = [p for p in within if _images(p)]
        if not _images(paths[0]) and len(within) == 2:
            folders = within
    if len(folders) == 2 and len(paths) in (1, 2):
        return _of_one_name(*folders)
    files = [q for p in paths for q in (_images(p) if _is_folder(p) else [p])]
    if not files:
        raise DataError(
            f"no images ({', '.join(IMAGES)}) in {_some([str(p) for p in paths])}"
        )
    return _of_one_word(files)


def halves(pairs: Sequence[Pair], seed: int) -> tuple[list[Pair], list[Pair]]:
    """Return the pairs that contribute their A, and those that contribute their B.

    Either is equally likely for each pair. Both contribute equally many, except for one
    if the number is odd, so that neither domain is empty.

    Raises
    ------
    DataError
        If there are fewer than two pairs.
    """
    if len(pairs) < 2:
        raise DataError(f"two domains need at least two pairs, found {len(pairs)}")
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(pairs))
    half = (len(pairs) + int(rng.integers(2))) // 2
    first = set(order[:half].tolist())
    return (
        [p for n, p in enumerate(pairs) if n in first],
        [p for n, p in enumerate(pairs) if n not in first],
    )


def _is_folder(path: Path) -> bool:
    """Return whether it is a folder and not an image (an OME-Zarr is also a folder)."""
    return path.is_dir() and path.suffix.lower() not in IMAGES


def _images(folder: Path) -> list[Path]:
    hidden = (p for p in folder.iterdir() if not p.name.startswith("."))
    return sorted(p for p in hidden if p.suffix.lower() in IMAGES)


def _stem(path: Path) -> str:
    """Return the name without the endings of an image."""
    return re.sub(r"(\.ome)?\.(tiff?|zarr)$", "", path.name, flags=re.IGNORECASE)


def _of_one_name(one: Path, other: Path) -> list[Pair]:
    first, second = (_by_stem(_images(folder)) for folder in (one, other))
    alone = sorted(first.keys() ^ second.keys())
    if alone:
        raise DataError(
            f"{one} and {other}: {_some(alone)} has no partner of the same name in the "
            f"other folder"
        )
    return [Pair(name, first[name], second[name]) for name in sorted(first)]


def _of_one_word(files: Sequence[Path]) -> list[Pair]:
    names = {tuple(BETWEEN_WORDS.split(s)): p for s, p in _by_stem(files).items()}
    for place in range(1, max(map(len, names), default=0) + 1):
        found = _differing_at(names, place)
        if found:
            return found
    raise DataError(
        f"no pairs in these {len(files)} images ({_some([p.name for p in files])}): "
        f"give two folders with images of the same names, or files whose names differ "
        f"in one word alone (cell1_phase.tif, cell1_dapi.tif)"
    )


def _differing_at(names: dict[tuple[str, ...], Path], place: int) -> list[Pair]:
    """Return pairs whose names differ in a word, counted from the end; none if odd."""
    groups: dict[tuple[str, ...], dict[str, Path]] = defaultdict(dict)
    for words, path in names.items():
        at = len(words) - place
        word = words[at] if at >= 0 else ""
        groups[words[: max(at, 0)] + words[at + 1 :]][word] = path
    found = {word for group in groups.values() for word in group}
    if len(found) != 2 or any(len(group) != 2 for group in groups.values()):
        return []
    a, b = sorted(found)
    return [Pair("_".join(name), g[a], g[b]) for name, g in sorted(groups.items())]


def _by_stem(files: Iterable[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in files:
        twin = found.setdefault(_stem(path), path)
        if twin is not path:
            raise DataError(
                f"{twin} and {path} have the same name: keep one of the two"
            )
    return found


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")
