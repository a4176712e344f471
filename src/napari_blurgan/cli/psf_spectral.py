"""`blurgan psf spectral`: identify a PSF from unpaired blurred and sharp images."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_blurgan.cli._common import (
    add_overwrite,
    check_psf_place,
    expand,
    read_stacks,
)
from napari_blurgan.cli._output import add_json, answer, say_warning
from napari_blurgan.cli._parser import add_index, add_number, add_sizes, add_voxel
from napari_blurgan.errors import AxesError, DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_blurgan.data.stack import Stack
    from napari_blurgan.identification.identify import SpectralFit

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.description = (
        "Identify the blur between two unpaired sets of images of the same kind of "
        "structure from their power spectra. It is relative to the sharp set: blur "
        "that both sets share is not detected."
    )
    add = parser.add_argument
    for name, text in (("--blurred", "the measured images"), ("--sharp", "sharp ones")):
        add(name, nargs="+", required=True, metavar="PATH", help=f"{text}, or patterns")
    add("--out", type=Path, required=True, metavar="PSF.ome.tif", help="the result")
    add_overwrite(parser, "an existing file")
    add("--na", type=float, metavar="NA", help="numerical aperture, if known")
    add(
        "--ni",
        type=float,
        default=1.515,
        metavar="N",
        help="refractive index of the immersion; 1.515 (oil) by default",
    )
    text = "of the emitted light in nm, if known"
    add("--wavelength", type=float, metavar="NM", help=text)
    text = (
        "allow NA and wavelength to differ from the given ones by a factor up to 1 + L"
    )
    add_number(parser, "--limit", 0, 10, text=text, default=0.3, metavar="L")
    add("--confocal", action="store_true", help="the excitation is focused as well")
    text = "z y x of the PSF in voxels; by default its core"
    add_sizes(parser, "--shape", text, nargs=3, metavar=("Z", "Y", "X"))
    add_voxel(parser)
    add_index(parser, "--channel", "of both sets")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Write the PSF; warn on stderr if the fit is not reliable."""
    from napari_blurgan.identification.identify import identify_psf

    check_psf_place(options.out, options.overwrite)
    blurred, sharp = (
        read_stacks(expand(patterns)) for patterns in (options.blurred, options.sharp)
    )
    voxel = options.voxel or _voxel_size([*blurred, *sharp])
    fit = identify_psf(
        _images(blurred, options.channel),
        _images(sharp, options.channel),
        voxel,
        na=options.na,
        ni=options.ni,
        wavelength=options.wavelength,
        limit=options.limit,
        confocal=options.confocal,
        shape=options.shape,
    )
    fit.psf.save(options.out, overwrite=options.overwrite)
    if not fit.matched:
        say_warning(f"blurgan: warning: {fit.message}")
    answer(options, _figures(fit), _report(fit))
    return 0


def _voxel_size(stacks: Sequence[Stack]) -> tuple[float, float, float]:
    """Return the common voxel size of all stacks; that of planes has no z."""
    first = stacks[0].voxel_size
    for stack in stacks:
        known = stack.voxel_size[-len(stack.spatial_axes) :]
        if None in known:
            raise DataError(
                f"{stack.name}: the file does not contain the voxel size; give "
                f"--voxel Z Y X in µm"
            )
        pairs = zip(known, first[-len(known) :], strict=True)
        if any(b is None or abs(a / b - 1) > 0.01 for a, b in pairs if a is not None):
            raise AxesError(
                f"{stack.name} has voxels of {stack.voxel_size} µm (z, y, x), "
                f"{stacks[0].name} of {first}: resample one set, or give --voxel if "
                f"the files are wrong"
            )
    z, y, x = (1.0 if size is None else size for size in first)
    return z, y, x


def _images(stacks: Sequence[Stack], channel: int | None) -> list[NDArray[np.generic]]:
    """Return every time point of one channel."""
    images: list[NDArray[np.generic]] = []
    for stack in stacks:
        if channel is None and stack.channels > 1:
            raise AxesError(
                f"{stack.name} has {stack.channels} channels; choose one with --channel"
            )
        images += [stack.frame(t, channel)[0] for t in range(stack.size("T"))]
    return images


def _figures(fit: SpectralFit) -> dict[str, Any]:
    figures = {k: v for k, v in asdict(fit).items() if k != "psf"}
    return {"shape": fit.psf.shape, "fwhm_um": fit.psf.fwhm(), **figures}


def _report(fit: SpectralFit) -> str:
    widths = "  ".join(f"{width:.4f}" for width in fit.psf.fwhm())
    return (
        f"FWHM     {widths} µm (z, y, x)\n"
        f"optics   effective NA {fit.na:.3f} and {fit.wavelength:.0f} nm in "
        f"n = {fit.ni:g}\n"
        f"gain     {fit.gain:.5g}\n"
        f"residual {fit.residual:.4f}, by chance {fit.expected:.4f}\n"
        f"{fit.message}"
    )
