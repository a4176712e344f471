"""``blurgan references METHOD INPUT… --psf PSF --out FOLDER``.

Make a sharp set for unpaired training from your own blurred stacks.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from napari_blurgan.checks import refuse_existing
from napari_blurgan.classical.methods import METHODS
from napari_blurgan.cli import deconvolve
from napari_blurgan.cli._batch import Made, check_folder, images_of
from napari_blurgan.cli._common import add_overwrite
from napari_blurgan.cli._output import add_json, say_note, say_result
from napari_blurgan.cli._parser import add_number
from napari_blurgan.errors import DataError
from napari_blurgan.writing.names import result_names

if TYPE_CHECKING:
    from napari_blurgan.classical.references import SharpReference
    from napari_blurgan.data.stack import Stack

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a sub-command for each method."""
    methods = parser.add_subparsers(metavar="METHOD", required=True, dest="method")
    for method in METHODS.values():
        sub = methods.add_parser(
            method.name, help=method.summary, description=method.summary
        )
        sub.add_argument(
            "inputs", nargs="+", metavar="INPUT", help="stacks, or patterns"
        )
        sub.add_argument(
            "--out",
            required=True,
            metavar="FOLDER",
            help="folder for the folders 'sharp' and 'blurred', to train with",
        )
        add_overwrite(sub)
        add_json(sub, "print a line of JSON for each part")
        text = "share of each stack for the sharp set, between 0 and 1"
        add_number(sub, "--share", 0.01, 0.99, text=text, default=0.5, metavar="S")
        deconvolve.add_shared(sub, method)


def run(options: argparse.Namespace) -> int:
    """Divide every stack in two, and deconvolve one part."""
    folder = Path(options.out)
    check_folder(folder)
    images = images_of(options.inputs, options.psf)
    places = list(result_names(images, folder, zarr=False))
    for _, place in places:
        for kind in ("sharp", "blurred"):
            refuse_existing(folder / kind / place.name, options.overwrite)
    deconvolve.check(METHODS[options.method], options)
    for number, (source, place) in enumerate(places):
        stack = deconvolve.read(source, options)
        if stack.channels > 1:
            raise DataError(
                f"{stack.name} has {stack.channels} channels; choose one with --channel"
            )
        reference = _reference(stack, number % 2 == 1, options)
        for note in reference.notes:
            say_note(f"{source.name}: {note}")
        for kind, part in (("sharp", reference.sharp), ("blurred", reference.blurred)):
            made = _written(part, folder / kind / place.name)
            facts = {"source": str(source), "kind": kind} | made.facts()
            say_result(json.dumps(facts) if options.json else str(made))
    return 0


def _reference(stack: Stack, last: bool, options: argparse.Namespace) -> SharpReference:
    from napari_blurgan.classical.references import make_sharp_references

    method = METHODS[options.method]
    (reference,) = make_sharp_references(
        [stack],
        deconvolve.known_psfs(stack, options, core=True)[0],
        method.name,
        share=options.share,
        last=last,
        device=options.device,
        **deconvolve.parameters_of(method, options),
    )
    return reference


def _written(part: Stack, out: Path) -> Made:
    from napari_blurgan.writing.ome_tiff import write_ome_tiff

    write_ome_tiff(out, part.data, part.axes, part.voxel_size)
    return Made.of(out, part)
