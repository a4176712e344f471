"""``blurgan restore NAME.blurgan INPUT… --out PATH``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    clock,
    load_psf,
    progress_bar,
    refuse_incomplete,
)
from napari_blurgan.cli._output import say_note, say_progress
from napari_blurgan.cli._parser import add_index, add_sizes, add_voxel, add_whole
from napari_blurgan.errors import DataError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from napari_blurgan.models.model import Model
    from napari_blurgan.optics.psf import Psf
    from napari_blurgan.restoration.events import Event


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "model",
        metavar="NAME.blurgan",
        help="a trained model, or a bioimage.io package (.zip)",
    )
    add_images(parser)
    parser.add_argument(
        "--psf",
        metavar="PSF",
        help="of these images, if it differs from that of the training",
    )
    text = "voxel size of the PSF, if its file does not contain it or is wrong"
    add_voxel(parser, "--psf-voxel", text)
    add_voxel(parser)
    text = "z y x of the tiles; by default chosen from the free memory"
    add_sizes(parser, "--tile", text, nargs="+", metavar="N")
    parser.add_argument(
        "--dtype",
        metavar="T",
        help="of the result: float32 (default), uint16 …, or source for that of the "
        "image",
    )
    add_index(parser, "--channel", "only this channel")
    add_index(parser, "--time", "only this time point")
    add_axes(parser)
    add_device(parser)
    parser.add_argument(
        "--precision",
        default="auto",
        metavar="P",
        help="float32, bfloat16, or auto, the default: bfloat16 if the device has it",
    )
    add_resume(parser)
    parser.add_argument(
        "--keep-lines",
        choices=("y", "x"),
        help="for undersampled images of magnetic resonance: keep the measured lines "
        "of k-space; the axis is that of the phase encoding",
    )
    text = (
        "for models that draw from a distribution (divnoising): draws, 100 by default"
    )
    add_whole(parser, "--samples", 2, 10_000, text=text, metavar="N")
    parser.add_argument(
        "--outputs",
        nargs="+",
        metavar="OUTPUT",
        help="what is made of the draws, as channels of the result: mean (default), "
        "sd, mode, samples",
    )
    parser.add_argument(
        "--blend",
        action=argparse.BooleanOptionalAction,
        help="blend the seams between tiles, or not; by default only if the norm "
        "requires it",
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="address of a dask cluster; by default this computer is used",
    )
    parser.add_argument(
        "--views",
        nargs="+",
        choices=("xy", "xz", "yz"),
        help="for models of planes: average over these sections of the volume; by "
        "default "
        "as in training",
    )


def run(options: argparse.Namespace) -> int:
    """Restore every image with one model; report those that failed."""
    each(jobs(options), prepared(options), "restored", options.json)
    return 0


def prepared(
    options: argparse.Namespace, load: Callable[[Path], Model] | None = None
) -> Make:
    """Check the options, load the model, and return what restores an image."""
    from napari_blurgan.devices import choose_device
    from napari_blurgan.export.foreign import is_package
    from napari_blurgan.models.model import load_model

    choose_device(options.device)
    if options.psf is None and options.psf_voxel is not None:
        raise DataError("--psf-voxel is the voxel size of --psf, which is missing")
    path = Path(options.model)
    model = path if is_package(path) else (load or load_model)(path)
    psf = None if options.psf is None else load_psf(options.psf, options.psf_voxel)
    return lambda source, out: _restored(model, psf, source, out, options)


def _restored(
    model: Model | Path,
    psf: Psf | None,
    source: Path,
    out: Path,
    options: argparse.Namespace,
) -> Made:
    """Restore one image with progress."""
    from napari_blurgan.tasks.restore import restoring

    if options.strict:
        refuse_incomplete(source, options.axes)
    events = restoring(
        model,
        source,
        out,
        axes=options.axes,
        voxel_size=options.voxel,
        psf=psf,
        tile=options.tile,
        dtype=options.dtype,
        channel=options.channel,
        time=options.time,
        device=options.device,
        precision=options.precision,
        resume=goes_on(out, options),
        overwrite=options.overwrite,
        blend=options.blend,
        scheduler=options.scheduler,
        views=options.views,
        keep_lines=options.keep_lines,
        samples=options.samples,
        outputs=options.outputs,
    )
    made: Made | None = None
    with kept(out), closing(events), progress_bar() as progress:
        task = progress.add_task(source.name, total=None, left="?")
        for event in events:
            made = _shown(event, progress, task, out) or made
    assert made is not None  # `restoring` finishes or raises
    return made


def _shown(event: Event, progress: Progress, task: TaskID, out: Path) -> Made | None:
    """Show an event; return the result that the last one contains."""
    from napari_blurgan.restoration import events

    if isinstance(event, events.Noted):
        say_note(event.message)
    elif isinstance(event, events.Planned):
        say_progress(f"plan: {event.plan}")
        progress.update(task, total=event.plan.tiles)
    elif isinstance(event, events.Shrunk):
        say_progress(f"out of memory: continuing with pieces of {event.core}")
    elif isinstance(event, events.TileDone):
        progress.update(task, **_position(event))
    elif isinstance(event, events.Finished):
        return Made.of(out, event.result, (event.below, event.above))
    return None


def _position(event: Any) -> dict[str, Any]:
    left = clock(event.seconds_left)
    return {"completed": event.done, "total": event.total, "left": left}
