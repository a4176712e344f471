"""``blurgan restore NAME.blurgan INPUT… --out PATH``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_blurgan.cli._common import expand, progress_bar
from napari_blurgan.errors import BlurGANError, DataError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from napari_blurgan.restoration.events import Event
    from napari_blurgan.transport.model import Model

SUFFIXES = (".tif", ".tiff", ".zarr")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("model", metavar="NAME.blurgan", help="a trained model")
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="images, or patterns like 'day1/*'"
    )
    parser.add_argument(
        "--out",
        required=True,
        metavar="PATH",
        help="a .ome.tif, .tif or .zarr; or a folder, for several images",
    )
    parser.add_argument(
        "--tile", nargs="+", type=int, metavar="N", help="voxels of a tile, z y x"
    )
    parser.add_argument(
        "--dtype", metavar="T", help="float32 (the default), uint16…, or source"
    )
    parser.add_argument("--channel", type=int, metavar="C", help="only this, from 0")
    parser.add_argument("--time", type=int, metavar="T", help="only this, from 0")
    parser.add_argument(
        "--axes", metavar="TZYX", help="of the images, where they do not say"
    )
    parser.add_argument("--device", default="auto", metavar="D", help="cpu, cuda…")
    parser.add_argument(
        "--precision",
        default="auto",
        metavar="P",
        help="float32, bfloat16, or auto: bfloat16 where the device has it",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with an unfinished .zarr"
    )
    parser.add_argument(
        "--blend",
        action=argparse.BooleanOptionalAction,
        help="smooth the seams between tiles, or not; by default if the norm needs it",
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a dask cluster that computes"
    )
    parser.add_argument(
        "--views",
        nargs="+",
        choices=("xy", "xz", "yz"),
        help="for models of planes: the mean over sections of the volume",
    )


def run(options: argparse.Namespace) -> int:
    """Restore every image with one model; say which ones could not be."""
    from napari_blurgan.transport.model import load_model

    todo = list(jobs(expand(options.inputs), Path(options.out)))
    model = load_model(Path(options.model))
    failed = 0
    for source, out in todo:
        try:
            print(_restored(model, source, out, options))
        except BlurGANError as error:
            if len(todo) == 1:
                raise
            failed += 1
            print(f"blurgan: {error}", file=sys.stderr)
    if failed:
        raise DataError(f"{failed} of {len(todo)} images could not be restored")
    return 0


def jobs(inputs: list[Path], out: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each image with the place of its result."""
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


def _restored(
    model: Model, source: Path, out: Path, options: argparse.Namespace
) -> str:
    """Restore one image, show how far it is, and return a line about the result."""
    from napari_blurgan.data.io import read_stack
    from napari_blurgan.restoration.restorer import restoring

    events = restoring(
        model,
        read_stack(source, axes=options.axes),
        out,
        tile=options.tile,
        dtype=options.dtype,
        channel=options.channel,
        time=options.time,
        device=options.device,
        precision=options.precision,
        resume=options.resume,
        blend=options.blend,
        scheduler=options.scheduler,
        views=options.views,
    )
    line = ""
    try:
        with closing(events), progress_bar() as progress:
            task = progress.add_task(source.name, total=None, left="?")
            for event in events:
                line = _shown(event, progress, task, out) or line
    except BaseException:
        if out.with_name(out.name + ".part").exists():
            print(
                f"blurgan: what is done is kept in {out}.part; go on with --resume",
                file=sys.stderr,
            )
        raise
    return line


def _shown(event: Event, progress: Progress, task: TaskID, out: Path) -> str | None:
    """Show an event; return the last one as a line."""
    from napari_blurgan.restoration import events

    if isinstance(event, events.Noted):
        progress.console.print(f"note: {event.message}", soft_wrap=True)
    elif isinstance(event, events.Planned):
        progress.console.print(f"plan: {event.plan}", soft_wrap=True)
        progress.update(task, total=event.plan.tiles)
    elif isinstance(event, events.Shrunk):
        progress.console.print(f"out of memory: going on with pieces of {event.core}")
    elif isinstance(event, events.TileDone):
        progress.update(task, **_position(event))
    elif isinstance(event, events.Finished):
        return _line(event, out)
    return None


def _position(event: Any) -> dict[str, Any]:
    minutes, seconds = divmod(round(event.seconds_left), 60)
    return {
        "completed": event.done,
        "total": event.total,
        "left": f"{minutes}:{seconds:02d}",
    }


def _line(event: Any, out: Path) -> str:
    stack = event.result
    size = "×".join(map(str, stack.data.shape))
    clipped = (
        f", {event.below} voxels clipped below and {event.above} above"
        if event.below or event.above
        else ""
    )
    return f"{out}: {stack.axes} {size} {stack.data.dtype}{clipped}"
