"""``blurgan threshold IMAGE --background Y,X,R … --foreground Y,X,R …``."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from napari_blurgan.cli._common import add_axes, read_image
from napari_blurgan.cli._output import add_json, answer, say_note
from napari_blurgan.cli._parser import LARGEST_INDEX, add_index, add_whole
from napari_blurgan.errors import DataError

if TYPE_CHECKING:
    from napari_blurgan.axes import ArrayLike
    from napari_blurgan.content.picking import Region


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("image", metavar="IMAGE", help="a file")
    for name in ("background", "foreground"):
        parser.add_argument(
            f"--{name}",
            nargs="+",
            required=True,
            type=_numbers,
            metavar="Y,X,R",
            help="discs: centre and radius in pixels; Z,Y,X,R in volumes",
        )
    text = "time point, counted from 0"
    add_whole(parser, "--time", 0, LARGEST_INDEX, text=text, default=0, metavar="T")
    text = "only this channel; by default the mean of all channels"
    add_index(parser, "--channel", text)
    add_axes(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> None:
    """Print the threshold between the regions, in the units of the image."""
    from napari_blurgan.content.picking import threshold_from_regions

    image = _image(options)
    regions = (
        [_region(numbers) for numbers in picked]
        for picked in (options.background, options.foreground)
    )
    found = threshold_from_regions(image, *regions)
    lines = [
        f"threshold  {found.threshold:g}",
        f"background {found.background:g}, foreground {found.foreground:g}",
        f"on the wrong side: {found.overlap:.1%} of the picked voxels",
    ]
    if found.bright_background:
        lines.append("the background is brighter: set bright_background in the recipe")
    answer(options, asdict(found), "\n".join(lines))


def _image(options: argparse.Namespace) -> ArrayLike:
    """Return the mean over the channels, of one time point."""
    from napari_blurgan.data.colour import ChannelMean
    from napari_blurgan.data.view import AxisView

    stack = read_image(
        options.image,
        axes=options.axes,
        channel=options.channel,
        strict=options.strict,
    )
    if stack.channels > 1:
        say_note(f"{stack.name}: the mean of {stack.channels} channels was used")
    image = ChannelMean(stack)
    if "T" not in image.axes:
        return image
    axis, times = image.axes.index("T"), image.shape[image.axes.index("T")]
    if not 0 <= options.time < times:
        raise DataError(
            f"{options.image}: no T = {options.time}, it has {times} (counted from 0)"
        )
    return AxisView(image, axis, options.time)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) not in (3, 4) or not all(0 <= v < LARGEST_INDEX for v in values):
        raise DataError(
            f"a disc is Y,X,R or Z,Y,X,R in pixels, from 0 to {LARGEST_INDEX}; found "
            f"{text!r}"
        )
    return values


def _region(numbers: tuple[float, ...]) -> Region:
    from napari_blurgan.content.picking import Region

    return Region(numbers[:-1], numbers[-1])
