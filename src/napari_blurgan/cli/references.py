"""``blurgan references METHOD INPUT… --psf PSF --out FOLDER``.

A sharp set for unpaired training out of one's own blurred stacks.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_blurgan.checks import refuse_existing
from napari_blurgan.classical.methods import METHODS
from napari_blurgan.cli import deconvolve
from napari_blurgan.cli._batch import images_of, result_names
from napari_blurgan.cli._common import add_overwrite

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
            help="gets a folder 'sharp' and a folder 'blurred', to train with",
        )
        add_overwrite(sub)
        sub.add_argument(
            "--share",
            type=float,
            default=0.5,
            help="of each stack for the sharp set; 0.5 by default",
        )
        deconvolve.add_shared(sub, method)


def run(options: argparse.Namespace) -> int:
    """Cut every stack in two, and deconvolve one part."""
    folder = Path(options.out)
    places = list(result_names(images_of(options), folder, zarr=False))
    for _, place in places:
        for kind in ("sharp", "blurred"):
            refuse_existing(folder / kind / place.name, options.overwrite)
    for number, (source, place) in enumerate(places):
        stack = deconvolve.read(source, options)
        reference = _reference(stack, number % 2 == 1, options)
        for kind, part in (("sharp", reference.sharp), ("blurred", reference.blurred)):
            print(_written(part, folder / kind / place.name))
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


def _written(part: Stack, out: Path) -> str:
    from napari_blurgan.data.io import write_ome_tiff

    write_ome_tiff(out, part.data, part.axes, part.voxel_size)
    return f"{out}: {part.axes} {'×'.join(map(str, part.data.shape))}"
