"""What several commands share: paths, optics, numbers and progress."""

from __future__ import annotations

import argparse
import glob
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from napari_blurgan.errors import DataError

if TYPE_CHECKING:
    from rich.progress import Progress

    from napari_blurgan.data.stack import Stack
    from napari_blurgan.optics.models import Optics

__all__ = [
    "add_optics",
    "add_overwrite",
    "add_voxel",
    "clock",
    "expand",
    "optics_of",
    "progress_bar",
    "read_stacks",
]


def add_optics(parser: argparse.ArgumentParser) -> None:
    """Add the options that describe a microscope."""
    group = parser.add_argument_group("optics")
    group.add_argument("--na", type=float, help="numerical aperture")
    group.add_argument("--ni", type=float, help="refractive index of the immersion")
    group.add_argument("--wavelength", type=float, help="emission, in nm")


def add_overwrite(parser: argparse.ArgumentParser, what: str = "results") -> None:
    """Add the option without which nothing is overwritten."""
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help=f"replace {what} that are there already; refused by default",
    )


def add_voxel(
    parser: argparse.ArgumentParser, name: str = "--voxel", of: str = ""
) -> None:
    """Add the option of a voxel size, and say of what if there are several."""
    parser.add_argument(
        name,
        type=float,
        nargs=3,
        metavar=("Z", "Y", "X"),
        help=f"{of} in µm, where the file does not say or is wrong".strip(),
    )


def optics_of(options: argparse.Namespace) -> Optics | None:
    """Return the optics, or None where none were given.

    Raises
    ------
    DataError
        If only some of the three numbers were given.
    """
    from napari_blurgan.optics.models import Optics

    values = {name: getattr(options, name) for name in ("na", "ni", "wavelength")}
    missing = [f"--{name}" for name, value in values.items() if value is None]
    if len(missing) == len(values):
        return None
    if missing:
        raise DataError(f"optics need all three numbers; missing {', '.join(missing)}")
    return Optics(**values)


def expand(patterns: Sequence[str]) -> list[Path]:
    """Return the paths that the patterns match; one that matches nothing stays."""
    paths: list[Path] = []
    for pattern in patterns:
        # A file may have brackets in its name: what is there is no pattern.
        plain = Path(pattern).exists() or not glob.has_magic(pattern)
        found = [pattern] if plain else sorted(glob.glob(pattern))  # noqa: PTH207
        if not found:
            raise DataError(f"no file matches {pattern}")
        paths += map(Path, found)
    return paths


def read_stacks(patterns: Sequence[str], channel: int | None = None) -> list[Stack]:
    """Read every image that the patterns match.

    Parameters
    ----------
    patterns : sequence of str
        Paths, or patterns such as ``"day1/*.tif"``.
    channel : int, optional
        Channel to keep, counted from 0.
    """
    from napari_blurgan.data.io import read_stack

    stacks = [read_stack(path) for path in expand(patterns)]
    return stacks if channel is None else [s.only_channel(channel) for s in stacks]


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds, 1:05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show progress on stderr, with the time that it will still take."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left {task.fields[left]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield progress
