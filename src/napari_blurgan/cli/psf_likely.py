"""`blurgan psf likely`: ask the images themselves about the optics."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_blurgan.cli._common import (
    add_axes,
    add_overwrite,
    check_psf_place,
    expand,
    read_stacks,
)
from napari_blurgan.cli._output import add_json, answer
from napari_blurgan.cli._parser import add_index, add_voxel
from napari_blurgan.errors import OpticsError

if TYPE_CHECKING:
    from napari_blurgan.heldout.likely import Likely
    from napari_blurgan.heldout.optics import LikelyOptics
    from napari_blurgan.optics.models import Optics

__all__ = ["add_arguments", "run"]

FIELDS = {"sheet": "sheet_thickness", "coverslip": "tg"}
"""Options that have another name in `Optics`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command, but for those of the microscope."""
    parser.description = (
        "Find the optics with which half of the photons of raw images, restored, best "
        "predict the other half, and compute their PSF. A parameter keeps its given "
        "value unless the images contradict it beyond chance."
    )
    add = parser.add_argument
    add("images", nargs="+", metavar="IMAGE", help="raw images, or patterns")
    add(
        "--vary",
        nargs="+",
        required=True,
        metavar="NAME=LEAST:MOST",
        help="what is looked for, and where: options of the microscope (na=1.2:1.4 "
        "depth=0:20)",
    )
    add("--out", type=Path, required=True, metavar="PSF.ome.tif", help="the PSF")
    add_overwrite(parser, "an existing file")
    add_voxel(parser)
    add_axes(parser)
    add_index(parser, "--channel", "of all images")
    add_json(parser)


def run(options: argparse.Namespace, optics_of: Callable[..., Optics]) -> int:
    """Write the PSF, and print what the images say of each parameter."""
    from napari_blurgan.heldout.optics import likely_optics

    check_psf_place(options.out, options.overwrite)
    intervals = _intervals(options.vary)
    stacks = read_stacks(
        expand(options.images),
        axes=options.axes,
        voxel=options.voxel,
        strict=options.strict,
    )
    optics, channel = optics_of(options), options.channel
    found = likely_optics(stacks, optics, intervals, channel=channel)
    found.psf.save(options.out, overwrite=options.overwrite)
    answer(options, _figures(found), _report(found))
    return 0


def _intervals(texts: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return the interval of each field; a field has one."""
    found: dict[str, tuple[float, float]] = {}
    for text in texts:
        name, interval = _interval(text)
        if name in found:
            raise OpticsError(f"--vary names {text.partition('=')[0]} twice")
        found[name] = interval
    return found


def _interval(text: str) -> tuple[str, tuple[float, float]]:
    """Return the name of a field and its interval, from NAME=LEAST:MOST."""
    name, equals, limits = text.partition("=")
    try:
        least, most = map(float, limits.split(":"))
    except ValueError:
        equals = ""
    if not equals:
        raise OpticsError(f"--vary takes NAME=LEAST:MOST (na=1.2:1.4), found {text}")
    return FIELDS.get(name, name), (least, most)


def _figures(found: LikelyOptics) -> dict[str, Any]:
    return {
        "optics": asdict(found.optics),
        "parameters": {name: asdict(p) for name, p in found.parameters.items()},
        "gain": found.gain,
        "fwhm_um": found.psf.fwhm(),
    }


def _report(found: LikelyOptics) -> str:
    lines = [_line(name, one) for name, one in found.parameters.items()]
    widths = "  ".join(f"{width:.4f}" for width in found.psf.fwhm())
    return "\n".join(
        (
            *lines,
            f"held-out photons are predicted {found.gain:.2%} better than with the "
            f"given optics",
            f"FWHM     {widths} µm (z, y, x)",
        )
    )


def _line(name: str, one: Likely) -> str:
    word = "contradicted" if one.told else "not contradicted, kept"
    return (
        f"{name:<16} {one.best:.4g}, within chance {one.least:.4g} to {one.most:.4g}; "
        f"given {one.given:.4g}: {word}"
    )
