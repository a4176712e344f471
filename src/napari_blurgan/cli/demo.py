"""``blurgan demo [--minutes M] [--out DIR]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_blurgan.checks import check_parent
from napari_blurgan.cli._parser import add_number
from napari_blurgan.cli.train import shown
from napari_blurgan.errors import DataError
from napari_blurgan.methods.length import MOST_MINUTES


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


def run(options: argparse.Namespace) -> None:
    """Train on the sample in the package, restore it and report."""
    from napari_blurgan.tasks.demo import Demo

    out = Path(options.out)
    _check_folder(out)
    demo = Demo(out, options.minutes)
    for _ in shown(demo.train()):
        pass
    result = demo.finish()
    z, y, x = result.psf.fwhm()
    r, rival = result.agreement, result.rival
    effort = f"{rival.iterations} iterations, {rival.seconds:.1f} s"
    print(f"steps trained                        {len(result.history)}")
    print(f"shift of widefield against confocal  {result.shift} voxels (z, y, x)")
    print("correlation with confocal at that shift, on the half not used for training:")
    print(f"  widefield, as measured             {r['widefield']:.3f}")
    print(
        f"  Richardson-Lucy at its best        {r['richardson-lucy']:.3f}  ({effort})"
    )
    print(f"  trained                            {r['trained']:.3f}")
    print(f"PSF from the optics, FWHM z, y, x    {z:.3f}, {y:.3f}, {x:.3f} µm")
    print(
        f"written to {demo.out}: restored.ome.tif, psf.ome.tif, history.csv, report.png"
    )


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
