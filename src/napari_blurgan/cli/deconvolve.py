"""``blurgan deconvolve METHOD INPUT… --psf PSF --out PATH``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_blurgan.classical.methods import METHODS, Method
from napari_blurgan.cli._batch import add_images, each, jobs
from napari_blurgan.cli._common import (
    add_axes,
    add_device,
    add_optics,
    optics_of,
    progress_bar,
    read_image,
    say_note,
)
from napari_blurgan.cli._parser import (
    LARGEST_GREY,
    add_index,
    add_number,
    add_sizes,
    add_voxel,
    add_whole,
)
from napari_blurgan.errors import DataError

if TYPE_CHECKING:
    from napari_blurgan.classical.deconvolution_operator import DeconvolutionOperator
    from napari_blurgan.data.stack import Stack
    from napari_blurgan.inverse.stopping import StoppingRule
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
            text = "z y x of the tiles to work in; by default tiles only if needed"
            add_sizes(sub, "--tile", text, nargs="+", metavar="N")


def add_shared(parser: argparse.ArgumentParser, method: Method) -> None:
    """Add what says how images are read, blurred and deconvolved."""
    add_index(parser, "--channel", "only this channel")
    add_axes(parser)
    add_device(parser)
    _add_psf(parser)
    _add_camera(parser, method)
    _add_method(parser, method)


def _add_files(parser: argparse.ArgumentParser) -> None:
    add_images(parser)
    parser.add_argument(
        "--dtype",
        metavar="T",
        help="of the result: float32 by default, uint16 …, or source for the image's",
    )
    add_index(parser, "--time", "only this time point")


def _add_psf(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--psf", nargs="+", metavar="PSF", help="a file, or one for each channel"
    )
    text = "size of the voxels of the PSF, where its file does not say or is wrong"
    add_voxel(parser, "--psf-voxel", text)
    add_voxel(parser)
    parser.add_argument(
        "--edges",
        choices=("extend", "periodic"),
        default="extend",
        help="beyond the field of view: more of the object (extend, the default), or "
        "the opposite edge",
    )
    add_optics(parser)


def _add_camera(parser: argparse.ArgumentParser, method: Method) -> None:
    needed = "; needed" if method.counts else ""
    group = parser.add_argument_group("camera")
    for name, metavar, least, text in (
        (
            "background",
            "GREY",
            -LARGEST_GREY,
            "grey level of light from elsewhere, "
            "and of darkness without --offset; 0 by default",
        ),
        ("gain", "GREY", 1e-6, f"grey levels for a photo-electron{needed}"),
        ("offset", "GREY", -LARGEST_GREY, f"grey level of darkness{needed}"),
        ("read-noise", "E", 0, "of the camera, in electrons; 1.5 by default"),
    ):
        most = 1e6 if name in ("gain", "read-noise") else LARGEST_GREY
        add_number(group, f"--{name}", least, most, text=text, metavar=metavar)


def _add_method(parser: argparse.ArgumentParser, method: Method) -> None:
    group = parser.add_argument_group("method")
    for known in method.parameters:
        add: Any = add_whole if isinstance(known.default, int) else add_number
        add(
            group,
            f"--{known.name}",
            known.minimum,
            known.maximum,
            text=known.help,
            default=known.default,
            metavar="N",
        )
    if method.rules:
        group.add_argument(
            "--stop",
            choices=method.rules,
            help="stop earlier, by this rule (see docs/classical.md); never by default",
        )


def run(options: argparse.Namespace) -> int:
    """Deconvolve every image; say which ones could not be."""
    method = METHODS[options.method]
    todo = jobs(options)
    check(method, options)
    each(
        todo,
        lambda source, out: _deconvolved(method, source, out, options),
        "deconvolved",
    )
    return 0


def _deconvolved(
    method: Method, source: Path, out: Path, options: argparse.Namespace
) -> str:
    """Deconvolve one image, show how far it is, and return a line about the result."""
    from napari_blurgan.data.exposure import exposure_notes
    from napari_blurgan.restoration.predict import apply
    from napari_blurgan.restoration.sinks import make_sink

    stack = read(source, options)
    psfs, notes = _psfs(stack, options)
    notes += exposure_notes(stack, time=options.time)
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
        say_note(f"{source.name}: {note}")
    size = "×".join(map(str, result.data.shape))
    return f"{out}: {result.axes} {size} {result.data.dtype}"


def check(method: Method, options: argparse.Namespace) -> None:
    """Check what was asked for before any image is read; read the PSFs.

    From here on ``options.psf`` holds them, ``options.optics`` the optics, and
    ``options.device`` the name of a device, or None for the best.
    """
    from napari_blurgan.devices import choose_device
    from napari_blurgan.optics.psf import Psf

    options.optics = optics_of(options)
    if (options.optics is None) == (options.psf is None):
        raise DataError("give either --psf, or --na, --ni and --wavelength")
    if options.psf is None and options.psf_voxel is not None:
        raise DataError("--psf-voxel is the size of the voxels of a --psf")
    if method.counts and _camera(options) is None:
        raise DataError(
            f"{method.name} needs the camera's gain, offset and read noise: --gain, "
            "--offset, --read-noise"
        )
    if getattr(options, "tile", None) and getattr(options, "stop", None):
        raise DataError("a stopping rule judges the whole image: no --tile with --stop")
    given = options.device
    options.device = None if given == "auto" else str(choose_device(given))
    # What reading finds is said when they are fitted to each image.
    options.psf = [Psf.load(path, options.psf_voxel) for path in options.psf or ()]


def read(source: Path, options: argparse.Namespace) -> Stack:
    """Read an image, with the axes, voxels and channel that were asked for."""
    return read_image(
        source,
        axes=options.axes,
        voxel=options.voxel,
        channel=options.channel,
        strict=options.strict,
    )


def _psfs(
    stack: Stack, options: argparse.Namespace
) -> tuple[list[Psf], tuple[str, ...]]:
    """Return the PSFs on the voxels of the image, and what was done to them."""
    from napari_blurgan.inverse.psf_fit import fit_psf

    fits = [
        fit_psf(psf, stack.spatial_shape, stack.voxel_size)
        for psf in known_psfs(stack, options)
    ]
    return [psf for psf, _ in fits], tuple(note for _, notes in fits for note in notes)


def known_psfs(
    stack: Stack, options: argparse.Namespace, core: bool = False
) -> list[Psf]:
    """Return the PSFs that were given, or the theoretical one, whole or its core."""
    from napari_blurgan.inverse.psf_fit import psf_shape_for
    from napari_blurgan.optics.models import support_shape, theoretical_psf

    optics = options.optics
    if optics is None:
        return list(options.psf)
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
    from napari_blurgan.classical.deconvolution_operator import (
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
    from napari_blurgan.inverse.stopping import RULES

    return RULES[options.stop]() if options.stop else None


def _tile(
    method: Method, stack: Stack, psfs: list[Psf], options: argparse.Namespace
) -> tuple[int, ...] | None:
    """Return the size of tiles, or None where the image is deconvolved whole."""
    from napari_blurgan.classical.memory import tile_for

    wanted = getattr(options, "tile", None)
    if wanted:
        return tuple(wanted)
    may_tile = method.tiles and not getattr(options, "stop", None)
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
                # A rule may have stopped it early: what was saved is not to come.
                done = max(progress.tasks[0].completed, float(event.done))
                left = (event.total - event.done) * each
                progress.update(task, completed=done, total=done + left)
            elif isinstance(event, kinds.Finished):
                return event.result
    raise AssertionError("the engine finishes or raises")


def _said(operator: DeconvolutionOperator) -> Iterator[str]:
    """Yield what was found in each image, and why it stopped if a rule decided."""
    for result in operator.results:
        yield from result.notes
        if result.criterion:
            kept = f"{result.iterations} iteration{'s'[: result.iterations != 1]}"
            yield f"the estimate after {kept} is kept: {result.reason}"


def _provenance(
    method: Method, stack: Stack, psfs: list[Psf], options: argparse.Namespace
) -> dict[str, Any]:
    from napari_blurgan.classical.provenance import provenance

    names = [p.name for p in method.parameters]
    names += ["background", "gain", "offset", "read_noise", "edges", "stop"]
    parameters = {name: getattr(options, name, None) for name in names}
    return provenance(method.name, psfs, parameters, stack.name)
