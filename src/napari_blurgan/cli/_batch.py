"""Several images, each with the place of its result."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from napari_blurgan.checks import refuse_existing
from napari_blurgan.cli._common import add_overwrite, expand
from napari_blurgan.errors import BlurGANError, DataError

__all__ = ["add_images", "each", "images_of", "jobs", "result_names"]

SUFFIXES = (".tif", ".tiff", ".zarr")


def add_images(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which images, and where their results go."""
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


def jobs(options: argparse.Namespace) -> list[tuple[Path, Path]]:
    """Return each image that the options name with the place of its result.

    Raises
    ------
    DataError
        If a result cannot have its place, or has one that is taken; what is there
        stays, unless ``--overwrite``. With ``--resume`` it counts as done.
    """
    todo = _places(images_of(options), options.out)
    for source, out in todo:
        if source.resolve() == out.resolve():
            raise DataError(
                f"{out}: is the image itself; choose another place to write to"
            )
    if not getattr(options, "resume", False):
        for _, out in todo:
            refuse_existing(out, options.overwrite)
        return todo
    done = [out for _, out in todo if out.exists() and not options.overwrite]
    for out in done:
        print(f"{out}: is complete, and left as it is")
    return [(source, out) for source, out in todo if out not in done]


def images_of(options: argparse.Namespace) -> list[Path]:
    """Return the images that the options name, without the PSFs, which is said.

    Raises
    ------
    DataError
        If a pattern matches nothing, or nothing is left.
    """
    given = getattr(options, "psf", None) or []
    psfs = {Path(p).resolve() for p in ([given] if isinstance(given, str) else given)}
    images = []
    for path in expand(options.inputs):
        if path.resolve() in psfs:
            print(f"note: {path}: is the PSF, and left out", file=sys.stderr)
        else:
            images.append(path)
    if not images:
        raise DataError("there are no images but the PSF")
    return images


def each(
    todo: Sequence[tuple[Path, Path]], make: Callable[[Path, Path], str], done: str
) -> None:
    """Make every image's result; say which ones could not be.

    Parameters
    ----------
    todo : sequence of (Path, Path)
        What `jobs` returned.
    make : callable
        Makes the result of an image at a place, and returns a line about it.
    done : str
        What the images are then.

    Raises
    ------
    BlurGANError
        If there is one image only and it fails, or at the end if some have failed.
    """
    failed = 0
    for source, out in todo:
        try:
            print(make(source, out))
        except BlurGANError as error:
            if len(todo) == 1:
                raise
            failed += 1
            print(f"blurgan: {error}", file=sys.stderr)
    if failed:
        raise DataError(f"{failed} of {len(todo)} images could not be {done}")


def result_names(
    inputs: Sequence[Path], folder: Path, zarr: bool = True
) -> Iterator[tuple[Path, Path]]:
    """Yield each image with its place in a folder: OME-TIFF, or zarr for a zarr.

    Raises
    ------
    DataError
        If two images would have the same.
    """
    taken: dict[Path, Path] = {}
    for source in inputs:
        stem = source.name.removesuffix(source.suffix).removesuffix(".ome")
        stays = zarr and source.suffix.lower() == ".zarr"
        place = folder / f"{stem}{'.zarr' if stays else '.ome.tif'}"
        if place in taken:
            raise DataError(
                f"{taken[place]} and {source} would both become {place}; "
                "write them into different folders"
            )
        taken[place] = source
        yield source, place


def _places(inputs: list[Path], out: str) -> list[tuple[Path, Path]]:
    place = Path(out)
    if place.suffix.lower() in SUFFIXES:
        if len(inputs) > 1:
            raise DataError(
                f"{len(inputs)} images do not fit into {out}; --out should be a folder"
            )
        return [(inputs[0], place)]
    _check_folder(place, ends_as_folder=out.endswith((os.sep, "/")))
    return list(result_names(inputs, place))


def _check_folder(place: Path, ends_as_folder: bool) -> None:
    """Refuse a folder that reads as a file of another kind, or is a file."""
    if place.is_dir():
        return
    if place.exists():
        raise DataError(
            f"{place}: is a file; results are written as .ome.tif, .tif or .zarr, or "
            "into a folder"
        )
    if place.suffix[1:2].isalpha() and not ends_as_folder:
        raise DataError(
            f"{place}: results are written as .ome.tif, .tif or .zarr, or into a "
            f"folder; if {place.name} is to be one, end it with a slash"
        )
