"""Shared by several commands: paths, optics, numbers and progress."""

from __future__ import annotations

import argparse
import glob
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_blurgan.checks import refuse_existing
from napari_blurgan.cli._output import say_note, say_progress, shows_progress
from napari_blurgan.errors import DataError

if TYPE_CHECKING:
    from rich.progress import Progress, Task

    from napari_blurgan.data.stack import Stack
    from napari_blurgan.optics.models import Optics
    from napari_blurgan.optics.psf import Psf

__all__ = [
    "add_axes",
    "add_device",
    "add_optics",
    "add_overwrite",
    "check_psf_place",
    "clock",
    "expand",
    "load_psf",
    "optics_of",
    "progress_bar",
    "read_image",
    "read_stacks",
    "refuse_incomplete",
]


EVERY = 30.0
"""Seconds between lines of progress if there is no terminal for a bar."""


def add_optics(parser: argparse._ActionsContainer, required: bool = False) -> None:
    """Add the three numbers that describe a microscope; `Optics` has their ranges."""
    group = parser.add_argument_group("optics")
    for name, metavar, text in (
        ("--na", "NA", "numerical aperture"),
        ("--ni", "N", "refractive index of the immersion: oil 1.515, water 1.333"),
        ("--wavelength", "NM", "of the emitted light, in nm"),
    ):
        group.add_argument(
            name, type=float, metavar=metavar, help=text, required=required
        )


def add_device(parser: argparse._ActionsContainer) -> None:
    """Add the option that selects the device."""
    parser.add_argument(
        "--device",
        default="auto",
        metavar="D",
        help="cpu, cuda, cuda:1 …; auto, the default, uses a GPU if there is one",
    )


def add_axes(parser: argparse._ActionsContainer) -> None:
    """Add the options for reading images: their axes, and how strictly."""
    parser.add_argument(
        "--axes",
        metavar="TZYX",
        help="a letter of TCZYXS for each axis of the images; by default as in the "
        "files",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse images with missing chunks or tiles; by default these are treated "
        "as empty, with a note",
    )


def add_overwrite(
    parser: argparse._ActionsContainer, what: str = "existing results"
) -> None:
    """Add the option that permits overwriting."""
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help=f"replace {what}; an error by default",
    )


def optics_of(options: argparse.Namespace) -> Optics | None:
    """Return the optics, or None if none were given.

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
    """Return the paths that the patterns match, and existing files by their names."""
    paths: list[Path] = []
    for pattern in patterns:
        # A file may have brackets in its name: an existing path is not a pattern.
        plain = Path(pattern).exists() or not glob.has_magic(pattern)
        found = [pattern] if plain else sorted(glob.glob(pattern))  # noqa: PTH207
        if not found:
            raise DataError(f"no file matches {pattern}")
        paths += map(Path, found)
    return paths


def read_image(
    source: str | os.PathLike[str],
    *,
    axes: str | None = None,
    voxel: Sequence[float] | None = None,
    channel: int | None = None,
    strict: bool = False,
    image: int = 0,
) -> Stack:
    """Read an image and print the notes of the reader.

    Parameters
    ----------
    source : path-like
        The file.
    axes : str, optional
        Letters that override those of the file.
    voxel : sequence of float, optional
        (z, y, x) in micrometres, overriding the file.
    channel : int, optional
        Channel to keep, counted from 0.
    strict : bool
        Whether missing chunks or tiles are an error.
    image : int
        Which one of several in a vendor's file, counted from 0.
    """
    from napari_blurgan.reading.conversion import as_stack
    from napari_blurgan.reading.images import read_stack

    if strict:
        refuse_incomplete(source, axes)
    found = read_stack(source, axes=axes, image=image) if image else source
    stack = as_stack(found, axes=axes, voxel_size=voxel)
    for note in stack.metadata.get("notes", ()):
        say_note(f"{stack.name}: {note}")
    return stack if channel is None else stack.only_channel(channel)


def refuse_incomplete(source: str | os.PathLike[str], axes: str | None) -> None:
    """Raise a `DataError` if chunks or tiles are missing in a file."""
    from napari_blurgan.reading.images import read_stack

    read_stack(source, axes=axes, strict=True)


def read_stacks(paths: Sequence[Path], **how: Any) -> list[Stack]:
    """Read every image; see `read_image`."""
    return [read_image(path, **how) for path in paths]


def load_psf(path: str | os.PathLike[str], voxel: Sequence[float] | None = None) -> Psf:
    """Read a PSF, or that of a model folder."""
    from napari_blurgan.optics.psf import Psf

    kept = Path(path) / "psf.ome.tif"
    psf = Psf.load(kept if kept.is_file() else Path(path), voxel)
    for note in psf.provenance.get("notes", ()):
        say_note(f"{path}: {note}")
    return psf


def check_psf_place(out: Path, overwrite: bool) -> None:
    """Refuse a path to which no PSF can be written, before computing one.

    Raises
    ------
    DataError
        If it exists, its folder does not exist, or the name is not that of a TIFF.
    """
    if out.suffix.lower() not in (".tif", ".tiff"):
        raise DataError(f"{out}: a PSF is saved as .ome.tif")
    refuse_existing(out, overwrite)
    if not out.parent.is_dir():
        raise DataError(
            f"{out}: cannot be written because the folder {out.parent} does not exist"
        )


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds, 1:05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show progress on stderr: a bar, or a line now and then without a terminal."""
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
    watched = sys.stderr.isatty()
    console = Console(stderr=True)
    hidden = not (watched and shows_progress())
    progress = Progress(*columns, console=console, disable=hidden)
    with progress, nullcontext() if watched else _spoken(progress):
        yield progress


@contextmanager
def _spoken(progress: Progress) -> Iterator[None]:
    """Print a line now and then if there is no terminal for a bar."""
    done = threading.Event()

    def speak() -> None:
        while not done.wait(EVERY):
            for task in progress.tasks:
                say_progress(_line(task))

    thread = threading.Thread(target=speak, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _line(task: Task) -> str:
    """Return the progress of a task: its name, the step, the total, the time left."""
    total = "?" if task.total is None else f"{task.total:.0f}"
    left = task.fields.get("left") or "?"
    spent = clock(task.elapsed or 0.0)
    return (
        f"{task.description}: {task.completed:.0f} of {total}, {spent} so far, "
        f"left {left}"
    )
