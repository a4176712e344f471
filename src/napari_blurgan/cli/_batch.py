"""Several images, each with the path of its result."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from napari_blurgan.checks import (
    check_parent,
    refuse_existing,
    refuse_input,
    same_file,
)
from napari_blurgan.cli._common import add_overwrite, expand, say_note
from napari_blurgan.cli._endings import failure
from napari_blurgan.errors import BlurGANError, DataError
from napari_blurgan.writing.names import result_names

__all__ = [
    "add_images",
    "add_resume",
    "check_folder",
    "each",
    "goes_on",
    "images_of",
    "jobs",
    "kept",
]

SUFFIXES = (".tif", ".tiff", ".zarr")


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
            print(
                f"blurgan: finished parts are kept in {out}.part; continue with "
                f"--resume",
                file=sys.stderr,
            )
        raise


def jobs(options: argparse.Namespace) -> list[tuple[Path, Path]]:
    """Return each image that the options name with the path of its result.

    Raises
    ------
    DataError
        If the path of a result is impossible, or exists already; existing files
        are kept, unless ``--overwrite``. With ``--resume`` they count as done.
    """
    psfs = _listed(getattr(options, "psf", None))
    images = images_of(options.inputs, psfs)
    todo = _places(images, options.out)
    for source, out in todo:
        refuse_input(out, source)
        for psf in psfs:
            refuse_input(out, psf, "the PSF")
    if not getattr(options, "resume", False):
        for _, out in todo:
            refuse_existing(out, options.overwrite)
        return todo
    done = [out for _, out in todo if out.exists() and not options.overwrite]
    for out in done:
        print(f"{out}: is complete and was not changed")
    return [(source, out) for source, out in todo if out not in done]


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
    todo: Sequence[tuple[Path, Path]], make: Callable[[Path, Path], str], done: str
) -> None:
    """Make the result of every image; report those that failed.

    Parameters
    ----------
    todo : sequence of (Path, Path)
        What `jobs` returned.
    make : callable
        Makes the result of an image at a path and returns a line about it.
    done : str
        Participle for the images that succeeded, such as "restored".

    Raises
    ------
    BlurGANError
        If there is one image only and it fails, or at the end if some have failed.
    """
    failed = 0
    for source, out in todo:
        try:
            print(make(source, out))
        except Exception as error:
            if len(todo) == 1:
                raise
            failed += 1
            ours = isinstance(error, BlurGANError)
            words = str(error) if ours else f"{source}: {failure(error)}"
            print(f"blurgan: {words}", file=sys.stderr)
    if failed:
        raise DataError(f"{failed} of {len(todo)} images could not be {done}")


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
