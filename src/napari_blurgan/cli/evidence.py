"""``blurgan evidence [NAME.blurgan] MEASURED RESTORED --out E.ome.tif``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_blurgan.checks import check_parent, refuse_existing
from napari_blurgan.cli._common import (
    add_axes,
    add_device,
    add_optics,
    add_overwrite,
    load_psf,
    optics_of,
    progress_bar,
    read_image,
)
from napari_blurgan.cli._output import add_json, answer, say_note
from napari_blurgan.cli._parser import (
    LARGEST_GREY,
    add_index,
    add_number,
    add_sizes,
    add_voxel,
)
from napari_blurgan.errors import DataError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from napari_blurgan.data.stack import Stack
    from napari_blurgan.optics.camera import Camera
    from napari_blurgan.restoration.events import Event
    from napari_blurgan.tasks.evidence import Evidence

REPEATS = ("halves", "turns", "draws")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "images",
        nargs="+",
        metavar="[NAME.blurgan] MEASURED RESTORED",
        help="the model that restored the image, if any; the image; its restoration",
    )
    parser.add_argument(
        "--out", required=True, metavar="PATH", help="a .ome.tif, .tif or .zarr"
    )
    add_overwrite(parser)
    parser.add_argument("--psf", metavar="PSF", help="blur of the image")
    text = "voxel size of the PSF, if its file does not contain it or is wrong"
    add_voxel(parser, "--psf-voxel", text)
    add_optics(parser)
    _add_camera(parser)
    parser.add_argument(
        "--repeats",
        nargs="*",
        choices=REPEATS,
        help="what the model restores in addition: halves of the light, rotations, "
        "and draws of a distribution; all by default",
    )
    parser.add_argument(
        "--also",
        nargs="+",
        default=[],
        metavar="NAME.blurgan",
        help="other checkpoints of the model, or trainings with other seeds: each "
        "restores the image, and evidence must exceed their disagreement",
    )
    add_voxel(parser)
    add_index(parser, "--channel", "channel of a multi-channel image")
    text = "z y x of the tiles; by default chosen from the free memory"
    add_sizes(parser, "--tile", text, nargs="+", metavar="N")
    parser.add_argument(
        "--resume", action="store_true", help="continue an unfinished .zarr"
    )
    add_axes(parser)
    add_device(parser)
    add_json(parser)


def _add_camera(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("camera, by default estimated from the image")
    for name, least, text in (
        ("gain", 1e-12, "grey levels per electron"),
        ("offset", -LARGEST_GREY, "grey level in the dark"),
        ("read-noise", 0.0, "read noise in electrons"),
    ):
        add_number(group, f"--{name}", least, LARGEST_GREY, text=text, metavar="N")


def run(options: argparse.Namespace) -> int:
    """Write the maps and print a summary."""
    _named(options)
    check_parent(Path(options.out))
    if not options.resume:
        refuse_existing(options.out, options.overwrite)
    found = _found(options)
    for note in found.notes:
        say_note(note)
    answer(options, found.report.to_dict(), f"{options.out}\n{found.report}")
    return 0


def remade(options: argparse.Namespace) -> Stack:
    """Make the maps of a command again; return them."""
    return _found(options).maps


def _found(options: argparse.Namespace) -> Evidence:
    """Write the maps to ``options.out``, showing the progress."""
    from napari_blurgan.tasks.evidence import evidence

    model, measured, restored = _named(options)
    how: dict[str, Any] = {"axes": options.axes, "voxel": options.voxel}
    how |= {"channel": options.channel, "strict": options.strict}
    images = [read_image(path, **how) for path in (measured, restored)]
    with progress_bar() as progress:
        task = progress.add_task("evidence", total=None, left="?")
        return evidence(
            *images,
            psf=_psf(options),
            model=model,
            also=options.also,
            camera=_camera(options),
            repeats=REPEATS if options.repeats is None else options.repeats,
            out=Path(options.out),
            tile=options.tile,
            device=options.device,
            resume=options.resume,
            overwrite=options.overwrite,
            progress=lambda event: _show(event, progress, task),
        )


def _named(options: argparse.Namespace) -> tuple[str | None, str, str]:
    """Return the model, if there is one, and the two images."""
    *models, measured, restored = ["", "", *options.images][-3:]
    if len(options.images) not in (2, 3):
        raise DataError(
            f"evidence takes the model, if there is one, then an image and its "
            f"restoration; found {len(options.images)} names"
        )
    model = models[0] or None
    if model is None and options.psf is None and optics_of(options) is None:
        raise DataError(
            "give the model that restored the image, --psf, or --na, --ni and "
            "--wavelength"
        )
    return model, measured, restored


def _psf(options: argparse.Namespace) -> Any:
    if options.psf is not None:
        return load_psf(options.psf, options.psf_voxel)
    if options.psf_voxel is not None:
        raise DataError("--psf-voxel is the voxel size of --psf, which is missing")
    return optics_of(options)


def _camera(options: argparse.Namespace) -> Camera | None:
    from napari_blurgan.optics.camera import Camera

    given = {"gain": options.gain, "offset": options.offset}
    given |= {"read_noise": options.read_noise}
    if all(value is None for value in given.values()):
        return None
    missing = [name.replace("_", "-") for name, v in given.items() if v is None]
    if missing:
        raise DataError(f"a camera needs all three numbers; missing --{missing[0]}")
    return Camera(**given)


def _show(event: Event, progress: Progress, task: TaskID) -> None:
    from napari_blurgan.restoration import events

    if isinstance(event, events.Planned):
        progress.update(task, total=event.plan.tiles)
    elif isinstance(event, events.TileDone):
        progress.update(task, completed=event.done, total=event.total, left="")
