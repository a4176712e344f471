"""Several images, each with the path of its result."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_blurgan.checks import (
    check_parent,
    refuse_existing,
    refuse_input,
    same_file,
)
from napari_blurgan.cli._common import add_overwrite, expand
from napari_blurgan.cli._endings import failure
from napari_blurgan.cli._output import (
    add_json,
    say_error,
    say_note,
    say_origin,
    say_result,
)
from napari_blurgan.errors import BlurGANError, DataError
from napari_blurgan.writing.names import result_names

if TYPE_CHECKING:
    from napari_blurgan.data.stack import Stack

__all__ = [
    "Made",
    "Make",
    "add_images",
    "add_resume",
    "attempt",
    "check_folder",
    "each",
    "goes_on",
    "images_of",
    "jobs",
    "kept",
    "places",
]

SUFFIXES = (".tif", ".tiff", ".zarr")


@dataclass(frozen=True)
class Made:
    """The result of one image.

    Parameters
    ----------
    out : Path
        Its file.
    axes, dtype : str
        Axes and type of the pixels.
    shape : tuple of int
        Size along the axes.
    clipped : tuple of int
        Number of voxels clipped below and above the range of the type.
    """

    out: Path
    axes: str
    shape: tuple[int, ...]
    dtype: str
    clipped: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, out: Path, stack: Stack, clipped: tuple[int, int] = (0, 0)) -> Made:
        """Describe a result."""
        shape, dtype = tuple(map(int, stack.data.shape)), str(stack.data.dtype)
        return cls(out, stack.axes, shape, dtype, clipped)

    def facts(self) -> dict[str, Any]:
        """Return the description for JSON."""
        return {
            "result": str(self.out),
            "axes": self.axes,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "clipped": list(self.clipped),
        }

    def __str__(self) -> str:
        below, above = self.clipped
        lost = f", {below} voxels clipped below and {above} above"
        size = "×".join(map(str, self.shape))
        return f"{self.out}: {self.axes} {size} {self.dtype}{lost * any(self.clipped)}"


Make = Callable[[Path, Path], Made]
"""Makes the result of an image at a path."""


def add_images(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for the images and for their results."""
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="images, or patterns like 'day1/*'"
    )
    parser.add_argument(
        "--out",
        required=True,
        metavar="PATH",
        help="a .ome.tif, .tif or .zarr; or a folder, for several images",
    )
    add_overwrite(parser)
    add_json(parser, "print a line of JSON for each image")


def add_resume(parser: argparse.ArgumentParser) -> None:
    """Add the option to continue what an earlier call left unfinished."""
    parser.add_argument(
        "--resume",
        action="store_true",
        help="continue an unfinished .zarr; complete results are kept",
    )


def goes_on(out: Path, options: argparse.Namespace) -> bool:
    """Return whether a result is to be resumed.

    In a folder, a missing TIFF starts from the beginning.
    """
    return bool(options.resume) and (out.suffix == ".zarr" or out == Path(options.out))


@contextmanager
def kept(out: Path) -> Iterator[None]:
    """Tell the user how to resume a result that is left unfinished."""
    try:
        yield
    except BaseException:
        if out.with_name(out.name + ".part").exists():
            say_error(
                f"blurgan: finished parts are kept in {out}.part; continue with "
                f"--resume"
            )
        raise


def jobs(options: argparse.Namespace) -> list[tuple[Path, Path]]:
    """Return each image still to be processed, with the path of its result."""
    todo = []
    for source, out, done in places(options):
        if not done:
            todo.append((source, out))
        elif options.json:
            facts = {"source": str(source), "result": str(out), "kept": True}
            say_result(json.dumps(facts))
        else:
            say_result(f"{out}: is complete and was not changed")
    return todo


def places(options: argparse.Namespace) -> list[tuple[Path, Path, bool]]:
    """Return image, path of the result, and whether that is complete already.

    Raises
    ------
    DataError
        If the path of a result is impossible, or exists already; existing files
        are kept, unless ``--overwrite``. With ``--resume`` they count as done.
    """
    psfs = _listed(getattr(options, "psf", None))
    found = _places(images_of(options.inputs, psfs), options.out)
    for source, out in found:
        refuse_input(out, source)
        for psf in psfs:
            refuse_input(out, psf, "the PSF")
        if not options.resume:
            refuse_existing(out, options.overwrite)
    may_be_done = options.resume and not options.overwrite
    return [(source, out, may_be_done and out.exists()) for source, out in found]


def images_of(
    patterns: Sequence[str], psf: str | Sequence[str] | None = None
) -> list[Path]:
    """Return the images that patterns match, without the PSFs (with a note).

    Raises
    ------
    DataError
        If a pattern matches nothing, or nothing but PSFs.
    """
    psfs, images = _listed(psf), []
    for path in expand(patterns):
        if any(same_file(path, known) for known in psfs):
            say_note(f"{path}: was left out because it is the PSF")
        else:
            images.append(path)
    if patterns and not images:
        raise DataError("the patterns match only the PSF, no images")
    return images


def _listed(psf: str | Sequence[str] | None) -> Sequence[str]:
    return [psf] if isinstance(psf, str) else psf or ()


def each(
    todo: Sequence[tuple[Path, Path]], make: Make, done: str, as_json: bool = False
) -> None:
    """Make the result of every image; report those that failed.

    Parameters
    ----------
    todo : sequence of (Path, Path)
        What `jobs` returned.
    make : callable
        See `Make`.
    done : str
        Participle for the images that succeeded, such as "restored".
    as_json : bool
        Whether to print JSON.

    Raises
    ------
    BlurGANError
        If there is one image only and it fails, or at the end if some have failed.
    """
    failed = 0
    for source, out in todo:
        made = make(source, out) if len(todo) == 1 else attempt(make, source, out)
        if isinstance(made, str):
            failed += 1
            say_error(f"blurgan: {made}")
        if as_json:
            facts = {"error": made} if isinstance(made, str) else made.facts()
            say_result(json.dumps({"source": str(source)} | facts))
        elif isinstance(made, Made):
            say_result(str(made))
    if failed:
        raise DataError(f"{failed} of {len(todo)} images could not be {done}")


def attempt(make: Make, source: Path, out: Path) -> Made | str:
    """Make a result; return a message if that fails."""
    try:
        return make(source, out)
    except BlurGANError as error:
        say_origin(error)
        return str(error)
    except Exception as error:
        say_origin(error)
        return f"{source}: {failure(error)}"


def _places(inputs: list[Path], out: str) -> list[tuple[Path, Path]]:
    place = Path(out)
    if place.suffix.lower() in SUFFIXES:
        if len(inputs) > 1:
            raise DataError(
                f"{len(inputs)} images cannot be written to one file, {out}; give a "
                f"folder with --out"
            )
        check_parent(place)
        return [(inputs[0], place)]
    check_folder(place, ends_as_folder=out.endswith((os.sep, "/")))
    return list(result_names(inputs, place))


def check_folder(place: Path, ends_as_folder: bool = False) -> None:
    """Refuse a folder whose name is that of another kind of file, or of a file."""
    if (place / "weights.safetensors").exists():
        raise DataError(f"{place}: is a model; choose another folder to write to")
    if place.is_dir():
        return
    if place.exists():
        raise DataError(
            f"{place}: is a file; results are written as .ome.tif, .tif or .zarr, or "
            "into a folder"
        )
    check_parent(place)
    if place.suffix[1:2].isalpha() and not ends_as_folder:
        raise DataError(
            f"{place}: results are written as .ome.tif, .tif or .zarr, or into a "
            f"folder; if {place.name} is meant as a folder, end it with a slash"
        )
