"""``blurgan deconvolve METHOD INPUT… --psf PSF --out PATH``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_blurgan.classical.methods import METHODS, Method
from napari_blurgan.cli._batch import add_images, each, jobs
from napari_blurgan.cli._common import add_optics, add_voxel, optics_of, progress_bar
from napari_blurgan.errors import DataError

if TYPE_CHECKING:
    from napari_blurgan.classical.operator import DeconvolutionOperator
    from napari_blurgan.classical.stopping import StoppingRule
    from napari_blurgan.data.stack import Stack
    from napari_blurgan.optics.camera import Camera
    from napari_blurgan.optics.psf import Psf
    from napari_blurgan.restoration.events import Event


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a sub-command for each method."""
    methods = parser.add_subparsers(metavar="METHOD", required=True, dest="method")
    for method in METHODS.values():
        sub = methods.add_parser(
            method.name, help=method.summary, description=method.summary
        )
        _add_files(sub)
        add_shared(sub, method)
        if method.tiles:
            sub.add_argument(
                "--tile", nargs="+", type=int, metavar="N", help="work in tiles, z y x"
            )


def add_shared(parser: argparse.ArgumentParser, method: Method) -> None:
    """Add what says how images are read, blurred and deconvolved."""
    parser.add_argument("--channel", type=int, metavar="C", help="only this, from 0")
    parser.add_argument("--axes", metavar="TZYX", help="where the images do not say")
    parser.add_argument("--device", metavar="D", help="cpu, cuda; a GPU by default")
    _add_psf(parser)
    _add_camera(parser, method)
    _add_method(parser, method)


def _add_files(parser: argparse.ArgumentParser) -> None:
    add_images(parser)
    parser.add_argument("--dtype", metavar="T", help="float32 by default, or source")
    parser.add_argument("--time", type=int, metavar="T", help="only this, from 0")


def _add_psf(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--psf", nargs="+", metavar="PSF", help="a TIFF, or one for each channel"
    )
    add_voxel(parser, "--psf-voxel", "of the PSF")
    add_voxel(parser, of="of an image")
    parser.add_argument(
        "--edges",
        choices=("extend", "periodic"),
        default="extend",
        help="beyond the field of view: more of the object, or the opposite edge",
    )
    add_optics(parser)


def _add_camera(parser: argparse.ArgumentParser, method: Method) -> None:
    needed = " (needed)" if method.counts else ""
    group = parser.add_argument_group("camera")
    for name, unit, text in (
        ("background", "GREY", "light from elsewhere; without --offset, also that"),
        ("gain", "GREY", f"grey levels a photo-electron{needed}"),
        ("offset", "GREY", f"grey level of darkness{needed}"),
        ("read-noise", "E", "of the camera, in electrons; 1.5 by default"),
    ):
        group.add_argument(f"--{name}", type=float, metavar=unit, help=text)


def _add_method(parser: argparse.ArgumentParser, method: Method) -> None:
    group = parser.add_argument_group("method")
    for parameter in method.parameters:
        group.add_argument(
            f"--{parameter.name}",
            type=type(parameter.default),
            default=parameter.default,
            metavar="N",
            help=f"{parameter.help}; {parameter.default} by default",
        )
    if method.rules:
        group.add_argument(
            "--stop",
            choices=method.rules,
            help="stop earlier, by this rule (see docs/classical.md)",
        )


def run(options: argparse.Namespace) -> int:
    """Deconvolve every image; say which ones could not be."""
    method = METHODS[options.method]
    each(
        jobs(options),
        lambda source, out: _deconvolved(method, source, out, options),
        "deconvolved",
    )
    return 0


def _deconvolved(
    method: Method, source: Path, out: Path, options: argparse.Namespace
) -> str:
    """Deconvolve one image, show how far it is, and return a line about the result."""
    from napari_blurgan.restoration.predict import apply
    from napari_blurgan.restoration.sinks import make_sink

    stack = read(source, options)
    psfs, notes = _psfs(stack, options)
    tile = _tile(method, stack, psfs, options)
    operator = _operator(method, stack, psfs, tile is not None, options)
    operator.rehearse()
    events = apply(
        operator,
        stack,
        make_sink(out),
        tile=tile or stack.spatial_shape,
        margin=(0,) * len(stack.spatial_axes),
        time=options.time,
        dtype=options.dtype,
        provenance=_provenance(method, stack, psfs, options),
    )
    with closing(events):
        result = _followed(events, operator, options)
    for note in dict.fromkeys((*notes, *_said(operator))):
        print(f"note: {source.name}: {note}", file=sys.stderr)
    size = "×".join(map(str, result.data.shape))
    return f"{out}: {result.axes} {size} {result.data.dtype}"


def read(source: Path, options: argparse.Namespace) -> Stack:
    """Read an image, with the axes, voxels and channel that were asked for."""
    from napari_blurgan.data.io import read_stack

    stack = read_stack(source, axes=options.axes)
    if options.voxel:
        stack = replace(stack, voxel_size=tuple(options.voxel))
    return stack if options.channel is None else stack.only_channel(options.channel)


def _psfs(
    stack: Stack, options: argparse.Namespace
) -> tuple[list[Psf], tuple[str, ...]]:
    """Return the PSFs on the voxels of the image, and what was done to them."""
    from napari_blurgan.classical.psf_fit import fit_psf

    fits = [
        fit_psf(psf, stack.spatial_shape, stack.voxel_size)
        for psf in known_psfs(stack, options)
    ]
    return [psf for psf, _ in fits], tuple(note for _, notes in fits for note in notes)


def known_psfs(
    stack: Stack, options: argparse.Namespace, core: bool = False
) -> list[Psf]:
    """Return the PSFs that were given, or the theoretical one, whole or its core."""
    from napari_blurgan.classical.psf_fit import psf_shape_for
    from napari_blurgan.optics.models import support_shape, theoretical_psf
    from napari_blurgan.optics.psf import Psf

    optics = optics_of(options)
    if (optics is None) == (options.psf is None):
        raise DataError("give either --psf, or --na, --ni and --wavelength")
    if optics is None:
        return [Psf.load(path, options.psf_voxel) for path in options.psf]
    unknown = [a for a, v in zip("zyx", stack.voxel_size, strict=True) if v is None]
    if set(unknown) & set(stack.spatial_axes.lower()):
        raise DataError(
            f"{stack.name}: does not say how large its voxels are; give --voxel Z Y X"
        )
    z, y, x = (v or 0.1 for v in stack.voxel_size)
    whole = psf_shape_for(optics, stack.spatial_shape, (z, y, x))
    shape = support_shape(optics, (z, y, x)) if core else whole
    return [theoretical_psf(optics, shape, (z, y, x))]


def _operator(
    method: Method,
    stack: Stack,
    psfs: list[Psf],
    tiled: bool,
    options: argparse.Namespace,
) -> DeconvolutionOperator:
    from napari_blurgan.classical.operator import (
        DeconvolutionOperator,
        channel_levels,
    )

    parameters = parameters_of(method, options)
    dark = parameters["background"] + (options.offset or 0.0)
    return DeconvolutionOperator(
        method,
        psfs,
        len(stack.spatial_axes),
        voxel_size=stack.voxel_size,
        device=options.device,
        edges=options.edges,
        levels=channel_levels(stack, dark) if tiled else None,
        **parameters,
    )


def parameters_of(method: Method, options: argparse.Namespace) -> dict[str, Any]:
    """Return what the method's function is called with."""
    return {
        "background": options.background or 0.0,
        "camera": _camera(options),
        **{p.name: getattr(options, p.name) for p in method.parameters},
        **({"stop": _rule(options)} if method.rules else {}),
    }


def _camera(options: argparse.Namespace) -> Camera | None:
    from napari_blurgan.optics.camera import Camera

    if options.gain is None and options.offset is None:
        return None
    if options.gain is None or options.offset is None:
        raise DataError("a camera needs both --gain and --offset")
    noise = 1.5 if options.read_noise is None else options.read_noise
    return Camera(gain=options.gain, offset=options.offset, read_noise=noise)


def _rule(options: argparse.Namespace) -> StoppingRule | None:
    from napari_blurgan.classical.stopping import RULES

    return RULES[options.stop]() if options.stop else None


def _tile(
    method: Method, stack: Stack, psfs: list[Psf], options: argparse.Namespace
) -> tuple[int, ...] | None:
    """Return the size of tiles, or None where the image is deconvolved whole."""
    from napari_blurgan.classical.memory import tile_for

    stop = getattr(options, "stop", None)
    wanted = getattr(options, "tile", None)
    if wanted and stop:
        raise DataError("a stopping rule judges the whole image: no --tile with --stop")
    if wanted:
        return tuple(wanted)
    may_tile = method.tiles and not stop
    return tile_for(method, stack.spatial_shape, psfs, options.device, may_tile)


def _followed(
    events: Iterator[Event], operator: DeconvolutionOperator, options: Any
) -> Stack:
    """Show every iteration; return the result."""
    from napari_blurgan.restoration import events as kinds

    each = getattr(options, "iterations", 1) * getattr(options, "rounds", 1)
    with progress_bar() as progress:
        task = progress.add_task(options.method, total=None, left="")

        def advance(*_: Any) -> None:
            """Count an iteration, whatever the method tells about it."""
            progress.advance(task)
            seconds = progress.tasks[0].time_remaining
            progress.update(task, left="?" if seconds is None else f"{seconds:.0f} s")

        if operator.method.iterative:
            operator.parameters["callback"] = advance
        for event in events:
            if isinstance(event, kinds.Planned):
                operator.begin()
                progress.update(task, total=event.plan.tiles * each, completed=0)
            elif isinstance(event, kinds.TileDone):
                progress.update(task, completed=event.done * each)
            elif isinstance(event, kinds.Finished):
                return event.result
    raise AssertionError("the engine finishes or raises")


def _said(operator: DeconvolutionOperator) -> Iterator[str]:
    """Yield what was found in each image, and why it stopped if a rule decided."""
    for result in operator.results:
        yield from result.notes
        if result.criterion:
            yield f"{result.iterations} iterations: {result.reason}"


def _provenance(
    method: Method, stack: Stack, psfs: list[Psf], options: argparse.Namespace
) -> dict[str, Any]:
    from napari_blurgan.classical.provenance import provenance

    names = [p.name for p in method.parameters]
    names += ["background", "gain", "offset", "read_noise", "edges", "stop"]
    parameters = {name: getattr(options, name, None) for name in names}
    return provenance(method.name, psfs, parameters, stack.name)
