"""``blurgan deconvolve METHOD INPUT… --psf PSF --out PATH``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_blurgan.classical.methods import METHODS, Method
from napari_blurgan.cli._batch import (
    Made,
    Make,
    add_images,
    add_resume,
    each,
    goes_on,
    jobs,
    kept,
)
from napari_blurgan.cli._common import (
    add_axes,
    add_device,
    add_optics,
    optics_of,
    progress_bar,
    read_image,
)
from napari_blurgan.cli._output import say_note
from napari_blurgan.cli._parser import (
    LARGEST_GREY,
    add_index,
    add_number,
    add_sizes,
    add_voxel,
    add_whole,
)
from napari_blurgan.cli._recorded import GIVE, recorded_optics
from napari_blurgan.errors import DataError

if TYPE_CHECKING:
    from rich.progress import Progress

    from napari_blurgan.data.stack import Stack
    from napari_blurgan.inverse.stopping import StoppingRule
    from napari_blurgan.optics.models import Optics
    from napari_blurgan.optics.psf import Psf


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
    """Add the options for reading, the PSF and the deconvolution."""
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
        help="of the result: float32 (default), uint16 …, or source for that of the "
        "image",
    )
    add_index(parser, "--time", "only this time point")
    add_resume(parser)


def _add_psf(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--psf",
        nargs="+",
        metavar="PSF",
        help="a file, or one file per channel; without a PSF and optics, the optics in "
        "the file of the image are used",
    )
    text = "voxel size of the PSF, if its file does not contain it or is wrong"
    add_voxel(parser, "--psf-voxel", text)
    add_voxel(parser)
    parser.add_argument(
        "--edges",
        choices=("extend", "periodic"),
        default="extend",
        help="outside the field of view: more of the object (extend, the default), or "
        "the opposite edge",
    )
    add_optics(parser)


def _add_camera(parser: argparse.ArgumentParser, method: Method) -> None:
    needed = "; required" if method.counts else ""
    group = parser.add_argument_group("camera")
    for name, metavar, least, text in (
        (
            "background",
            "GREY",
            -LARGEST_GREY,
            "background light in grey levels, including "
            "the offset unless --offset is given; 0 by default",
        ),
        ("gain", "GREY", 1e-6, f"grey levels per photo-electron{needed}"),
        (
            "offset",
            "GREY",
            -LARGEST_GREY,
            f"grey level of the camera in the dark{needed}",
        ),
        (
            "read-noise",
            "E",
            0,
            "read noise of the camera, in electrons; 1.5 by default",
        ),
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
            help="stop earlier by this rule (see docs/classical.md); by default "
            "without a rule",
        )


def run(options: argparse.Namespace) -> int:
    """Deconvolve every image; report those that failed."""
    each(jobs(options), prepared(options), "deconvolved", options.json)
    return 0


def prepared(options: argparse.Namespace) -> Make:
    """Check the options, read the PSFs, and return what deconvolves an image."""
    method = METHODS[options.method]
    check(method, options)
    return lambda source, out: _deconvolved(method, source, out, options)


def _deconvolved(
    method: Method, source: Path, out: Path, options: argparse.Namespace
) -> Made:
    """Deconvolve one image with progress."""
    from napari_blurgan.tasks.deconvolve import DeconvolutionRequest

    stack = read(source, options)
    request = DeconvolutionRequest(
        stack,
        tuple(known_psfs(stack, options)),
        method.name,
        {p.name: getattr(options, p.name) for p in method.parameters},
        background=options.background or 0.0,
        camera=_camera(options),
        stop=getattr(options, "stop", None),
        edges=options.edges,
        time=options.time,
        tile=getattr(options, "tile", None) and tuple(options.tile),
        out=out,
        dtype=options.dtype,
        device=options.device or "auto",
        resume=goes_on(out, options),
    )
    with kept(out), progress_bar() as progress:
        follower = Follower(progress, method.name, request.updates)
        result = request.run(follower)
    for note in follower.notes:
        say_note(f"{source.name}: {note}")
    return Made.of(out, result)


class Follower:
    """Shows every iteration of a deconvolution and keeps its notes for the end.

    Parameters
    ----------
    progress : Progress
        Display.
    name : str
        Name of the task.
    updates : int
        Iterations for each tile or frame.
    """

    def __init__(self, progress: Progress, name: str, updates: int) -> None:
        self.notes: list[str] = []
        self._progress, self._updates = progress, updates
        self._task = progress.add_task(name, total=None, left="")

    def __call__(self, event: Any) -> None:
        """Handle an event of a `DeconvolutionRequest`."""
        from napari_blurgan.restoration.events import Planned, TileDone
        from napari_blurgan.tasks.deconvolve import Iterated

        if isinstance(event, str):
            self.notes.append(event)
        elif isinstance(event, Planned):
            self._show(total=event.plan.tiles * self._updates)
        elif isinstance(event, Iterated):
            self._progress.advance(self._task)
            seconds = self._progress.tasks[0].time_remaining
            self._show(left="?" if seconds is None else f"{seconds:.0f} s")
        elif isinstance(event, TileDone):
            # A rule may have stopped it early: the remaining iterations will not run.
            done = max(self._progress.tasks[0].completed, float(event.done))
            left = (event.total - event.done) * self._updates
            self._show(completed=done, total=done + left)

    def _show(self, **fields: Any) -> None:
        self._progress.update(self._task, **fields)


def check(method: Method, options: argparse.Namespace) -> None:
    """Check the options before any image is read; read the PSFs.

    From here on ``options.psf`` holds them, ``options.optics`` the optics (without
    either, those in the file of each image), and ``options.device`` the name of a
    device, or None for the best.
    """
    from napari_blurgan.devices import choose_device
    from napari_blurgan.optics.psf import Psf

    options.optics = optics_of(options)
    if options.optics is not None and options.psf is not None:
        raise DataError(GIVE)
    if options.psf is None and options.psf_voxel is not None:
        raise DataError("--psf-voxel is the voxel size of --psf, which is missing")
    camera = _camera(options)
    if method.counts and not camera:
        raise DataError(
            f"{method.name} needs gain, offset and read noise of the camera: --gain, "
            "--offset, --read-noise"
        )
    if getattr(options, "tile", None) and getattr(options, "stop", None):
        raise DataError(
            "a stopping rule needs the whole image: --stop does not work with --tile"
        )
    given = options.device
    options.device = None if given == "auto" else str(choose_device(given))
    # The notes are printed when they are fitted to each image.
    options.psf = [Psf.load(path, options.psf_voxel) for path in options.psf or ()]


def read(source: Path, options: argparse.Namespace) -> Stack:
    """Read an image with the axes, voxel size and channel of the options."""
    return read_image(
        source,
        axes=options.axes,
        voxel=options.voxel,
        channel=options.channel,
        strict=options.strict,
    )


def known_psfs(
    stack: Stack, options: argparse.Namespace, core: bool = False
) -> list[Psf]:
    """Return the given PSFs, or theoretical ones: all of each or its core.

    Raises
    ------
    DataError
        If the voxel size, or the optics that are not given, are not in the file.
    """
    if options.psf:
        return list(options.psf)
    given = options.optics
    found = [given] if given is not None else recorded_optics(stack)
    return [_theory(stack, optics, core) for optics in found]


def _theory(stack: Stack, optics: Optics, core: bool) -> Psf:
    from napari_blurgan.axes import FOCAL_DEPTH
    from napari_blurgan.inverse.psf_fit import psf_shape_for
    from napari_blurgan.optics.models import support_shape, theoretical_psf

    unknown = [a for a, v in zip("zyx", stack.voxel_size, strict=True) if v is None]
    if set(unknown) & set(stack.spatial_axes.lower()):
        raise DataError(f"{stack.name}: the voxel size is unknown; give --voxel Z Y X")
    z, y, x = (v or FOCAL_DEPTH for v in stack.voxel_size)
    whole = psf_shape_for(optics, stack.spatial_shape, (z, y, x))
    shape = support_shape(optics, (z, y, x)) if core else whole
    return theoretical_psf(optics, shape, (z, y, x))


def parameters_of(method: Method, options: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments for the function of the method."""
    from napari_blurgan.optics.camera import Camera

    known = _camera(options)
    return {
        "background": options.background or 0.0,
        "camera": Camera(**known) if known else None,
        **{p.name: getattr(options, p.name) for p in method.parameters},
        **({"stop": _rule(options)} if method.rules else {}),
    }


def _camera(options: argparse.Namespace) -> dict[str, float]:
    """Return the camera parameters: none or all of them."""
    given = options.gain, options.offset, options.read_noise
    if all(value is None for value in given):
        return {}
    if options.gain is None or options.offset is None:
        raise DataError("a camera needs both --gain and --offset")
    noise = 1.5 if options.read_noise is None else options.read_noise
    return {"gain": options.gain, "offset": options.offset, "read_noise": noise}


def _rule(options: argparse.Namespace) -> StoppingRule | None:
    from napari_blurgan.inverse.stopping import RULES

    return RULES[options.stop]() if options.stop else None
