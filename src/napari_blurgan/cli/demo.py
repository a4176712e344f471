"""``blurgan demo [--minutes M] [--out DIR]``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_blurgan.checks import check_parent
from napari_blurgan.cli._output import add_json, answer
from napari_blurgan.cli._parser import add_number
from napari_blurgan.cli.train import shown
from napari_blurgan.errors import DataError
from napari_blurgan.methods.length import MOST_MINUTES

if TYPE_CHECKING:
    from napari_blurgan.tasks.demo_result import DemoResult


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add_number(
        parser,
        "--minutes",
        0,
        MOST_MINUTES,
        above=True,
        text="of training",
        default=4.0,
        metavar="M",
    )
    parser.add_argument(
        "--out",
        default="blurgan-demo",
        metavar="DIR",
        help="a new folder, or one of an earlier demo; blurgan-demo by default",
    )
    add_json(parser)


def run(options: argparse.Namespace) -> None:
    """Train on the sample in the package, restore it and report."""
    from napari_blurgan.tasks.demo import Demo

    out = Path(options.out)
    _check_folder(out)
    demo = Demo(out, options.minutes)
    for _ in shown(demo.train()):
        pass
    result = demo.finish()
    answer(options, _facts(demo.out, result), _text(demo.out, result))


def _facts(out: Path, result: DemoResult) -> dict[str, Any]:
    """Return the figures, for JSON."""
    return {
        "out": str(out),
        "steps": len(result.history),
        "shift_voxels": list(result.shift),
        "correlation": result.agreement,
        "psf_fwhm_um": list(map(float, result.psf.fwhm())),
    }


def _text(out: Path, result: DemoResult) -> str:
    """Return the figures as text."""
    z, y, x = result.psf.fwhm()
    r, rival = result.agreement, result.rival
    effort = f"{rival.iterations} iterations, {rival.seconds:.1f} s"
    return f"""\
steps trained                        {len(result.history)}
shift of widefield against confocal  {result.shift} voxels (z, y, x)
correlation with confocal at that shift, on the half not used for training:
  widefield, as measured             {r["widefield"]:.3f}
  Richardson-Lucy at its best        {r["richardson-lucy"]:.3f}  ({effort})
  trained                            {r["trained"]:.3f}
PSF from the optics, FWHM z, y, x    {z:.3f}, {y:.3f}, {x:.3f} µm
written to {out}: restored.ome.tif, psf.ome.tif, history.csv, report.png"""


def _check_folder(out: Path) -> None:
    """Refuse a file, or a folder with anything but an earlier demo."""
    check_parent(out)
    if out.is_file():
        raise DataError(f"{out}: is a file; choose a folder with --out")
    if out.exists() and not (out / "demo.blurgan").is_dir() and any(out.iterdir()):
        raise DataError(
            f"{out}: contains files that are not from an earlier demo; choose another "
            "folder with --out"
        )
