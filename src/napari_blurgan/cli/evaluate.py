"""`blurgan evaluate`: compare a result with a reference in figures."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_blurgan.cli._common import read_image
from napari_blurgan.cli._output import add_json, answer
from napari_blurgan.cli._parser import LARGEST_GREY, add_number
from napari_blurgan.errors import DataError

if TYPE_CHECKING:
    from napari_blurgan.data.stack import Stack

__all__ = ["add_arguments", "run"]

Figures = dict[str, float]

TABLE = """\
                          as it is    after the intensity fit
  PSNR (dB)             {psnr:10.2f}    {psnr_fitted:10.2f}
    control: no image   {psnr_black:10.2f}    {psnr_flat:10.2f}
  SSIM                  {ssim:10.4f}    {ssim_fitted:10.4f}
  NRMSE                 {nrmse:10.4f}    {nrmse_fitted:10.4f}
  correlation           {correlation:10.4f}
  fit: {slope:.6g} x result {offset:+.6g}; data range {data_range:.6g}"""

PAPER = """\
  as in Lim et al. (2020)  as it is    after adaptive histogram equalisation
    PSNR (dB)           {paper_psnr:10.2f}    {paper_psnr_equalized:10.2f}
    SSIM                {paper_ssim:10.4f}    {paper_ssim_equalized:10.4f}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("result", type=Path, metavar="RESULT", help="a file")
    parser.add_argument(
        "reference", type=Path, metavar="REFERENCE", help="a file of the same size"
    )
    add_number(
        parser,
        "--data-range",
        0,
        LARGEST_GREY,
        above=True,
        text="the peak of PSNR and SSIM in grey levels; by default that of the "
        "reference image",
        metavar="R",
    )
    parser.add_argument(
        "--paper",
        action="store_true",
        help="add PSNR and SSIM as the text of Lim et al. (2020) defines them, before "
        "and after the adaptive histogram equalisation in which it shows its images",
    )
    add_json(parser, "print JSON; the infinite PSNR of equal images is null")


def run(options: argparse.Namespace) -> int:
    """Compare all time points and channels of two files."""
    result, reference = map(read_image, (options.result, options.reference))
    _check_alike(result, reference)
    images = [
        {"time": t, "channel": c, **_figures(result, reference, t, c, options)}
        for t in range(result.size("T"))
        for c in range(result.channels)
    ]
    title = f"{options.result} against {options.reference}"
    answer(options, _report(images), "\n".join([title, *_lines(images, options.paper)]))
    return 0


def _lines(images: Sequence[dict[str, Any]], paper: bool) -> Iterator[str]:
    """Yield the figures of each image as text."""
    for image in images:
        if len(images) > 1:
            yield f"time {image['time']}, channel {image['channel']}"
        yield TABLE.format(**image)
        if paper:
            yield PAPER.format(**image)


def _check_alike(result: Stack, reference: Stack) -> None:
    for what in ("spatial_shape", "channels"):
        one, other = getattr(result, what), getattr(reference, what)
        if one != other:
            raise DataError(
                f"the {what.replace('_', ' ')} of the result is {one}, that of the "
                f"reference {other}; they must be equal for a comparison"
            )
    if result.size("T") != reference.size("T"):
        raise DataError(
            f"the result has {result.size('T')} time points, the reference "
            f"{reference.size('T')}"
        )
    for one, other in zip(result.voxel_size, reference.voxel_size, strict=True):
        if one and other and not math.isclose(one, other, rel_tol=1e-3):
            raise DataError(
                f"the voxel size of the result is {result.voxel_size} µm (z, y, x), "
                f"that of the reference {reference.voxel_size}"
            )


def _figures(
    result: Stack,
    reference: Stack,
    time: int,
    channel: int,
    options: argparse.Namespace,
) -> Figures:
    from napari_blurgan.measure import compare, paper_scores

    one = result.frame(time, channel)[0]
    other = reference.frame(time, channel)[0]
    figures: Figures = asdict(compare(one, other, options.data_range))
    if options.paper:
        scores = paper_scores(one, other)
        figures |= {f"paper_{k}": v for k, v in asdict(scores).items()}
    return figures


def _report(images: list[Figures]) -> dict[str, object]:
    """Return the figures, or for several images their mean and those of each."""
    finite = [
        {k: v if math.isfinite(v) else None for k, v in image.items()}
        for image in images
    ]
    if len(images) == 1:
        return dict(finite[0])
    names = [name for name in images[0] if name not in ("time", "channel")]
    mean = {name: sum(i[name] for i in images) / len(images) for name in names}
    means = {k: v if math.isfinite(v) else None for k, v in mean.items()}
    return {**means, "images": finite}
