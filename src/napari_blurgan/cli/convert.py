"""`blurgan convert INPUT… --out DIR`: every image of any file as an OME-TIFF."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from napari_blurgan.checks import refuse_existing
from napari_blurgan.cli._batch import check_folder
from napari_blurgan.cli._common import add_axes, add_overwrite, expand, read_image
from napari_blurgan.cli._output import add_json, say_result
from napari_blurgan.errors import DataError

if TYPE_CHECKING:
    from napari_blurgan.data.stack import Stack

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="images, or patterns like 'day1/*'"
    )
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="DIR",
        help="a folder; each position of an ND2, scene of a CZI and image of a LIF "
        "becomes a file of its own",
    )
    add_axes(parser)
    add_overwrite(parser)
    add_json(parser, "print a line of JSON for each image")


def run(options: argparse.Namespace) -> int:
    """Write the images one by one."""
    check_folder(options.out)
    places: dict[Path, Path] = {}
    for source in expand(options.inputs):
        for stack, place in _images(source, options):
            if place in places:
                raise DataError(
                    f"{places[place]} and {source} would both become {place}; write "
                    "them into different folders"
                )
            places[place] = source
            refuse_existing(place, options.overwrite)
            options.out.mkdir(exist_ok=True)
            stack.save(place, overwrite=options.overwrite)
            sizes = "×".join(map(str, stack.shape))
            line = f"{place}: {stack.axes} {sizes}"
            facts = {
                "source": str(source),
                "result": str(place),
                "axes": stack.axes,
                "shape": list(stack.shape),
            }
            say_result(json.dumps(facts) if options.json else line)
    return 0


def _images(source: Path, options: argparse.Namespace) -> Iterator[tuple[Stack, Path]]:
    """Yield each image of a file with the name of its copy."""
    count, number = 1, 0
    while number < count:
        stack = read_image(
            source, axes=options.axes, strict=options.strict, image=number
        )
        count = stack.metadata.get("images", 1)
        ending = f"-{number:0{len(str(count - 1))}}" if count > 1 else ""
        stem = source.name.removesuffix(source.suffix).removesuffix(".ome")
        yield stack, options.out / f"{stem}{ending}.ome.tif"
        number += 1
