"""Several images, each with the place of its result."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from napari_blurgan.cli._common import expand
from napari_blurgan.errors import BlurGANError, DataError

__all__ = ["add_images", "each", "jobs"]

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


def jobs(options: argparse.Namespace) -> list[tuple[Path, Path]]:
    """Return each image that the options name with the place of its result."""
    return list(_jobs(expand(options.inputs), Path(options.out)))


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


def _jobs(inputs: list[Path], out: Path) -> Iterator[tuple[Path, Path]]:
    if out.suffix.lower() in SUFFIXES:
        if len(inputs) > 1:
            raise DataError(
                f"{len(inputs)} images do not fit into {out}; --out should be a folder"
            )
        yield inputs[0], out
        return
    taken: dict[Path, Path] = {}
    for source in inputs:
        place = out / _result_name(source)
        if place in taken:
            raise DataError(
                f"{taken[place]} and {source} would both become {place}; "
                "write them into different folders"
            )
        taken[place] = source
        yield source, place


def _result_name(source: Path) -> str:
    """Return the name of a result in a folder: zarr stays zarr, all else OME-TIFF."""
    stem = source.name.removesuffix(source.suffix).removesuffix(".ome")
    return stem + (".zarr" if source.suffix.lower() == ".zarr" else ".ome.tif")
