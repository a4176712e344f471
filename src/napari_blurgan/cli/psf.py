"""`blurgan psf`: compute, extract, identify or measure a point-spread function."""

from __future__ import annotations

import argparse
import importlib
import math
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_blurgan.cli._common import (
    add_axes,
    add_optics,
    add_overwrite,
    check_psf_place,
    load_psf,
    read_image,
)
from napari_blurgan.cli._output import add_json, answer, say_note, say_warning
from napari_blurgan.cli._parser import (
    Parser,
    add_index,
    add_number,
    add_sizes,
    add_voxel,
)
from napari_blurgan.errors import OpticsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_blurgan.data.stack import Stack
    from napari_blurgan.identification.beads import BeadReport
    from napari_blurgan.optics.models import Optics
    from napari_blurgan.optics.psf import Psf

__all__ = ["add_arguments", "run"]

DEEPEST, THICKEST = 2000, 1000
"""Largest depth in the sample and thickness of a coverslip in µm, as in `Optics`."""

OF_MODALITY = {"confocal": ("excitation", "pinhole"), "lightsheet": ("sheet",)}
"""Options that count for one type of microscope only."""

LARGE = 4096
"""Rows and columns of a plane of unknown size."""

Triple = Sequence[float]


class WayParser(Parser):
    """A parser that adds its arguments only when its sub-command is used."""

    def __init__(
        self, *, fill: Callable[[argparse.ArgumentParser], None], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.fill = fill

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Add the arguments, then parse as usual."""
        self.fill(self)
        return super().parse_known_args(args, namespace)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one sub-command for each way to obtain a PSF."""
    ways = parser.add_subparsers(metavar="WAY", required=True, parser_class=WayParser)
    for name, fill, summary in (
        (
            "born-wolf",
            _fill_model,
            "scalar, for NA / n up to 0.8: the model of the papers",
        ),
        ("gibson-lanni", _fill_model, "scalar, with depth and layers"),
        ("vectorial", _fill_model, "for any aperture, with depth and layers"),
        ("gaussian", _fill_model, "a Gaussian with the widths of the scalar model"),
        ("beads", _fill_beads, "extract a PSF from an image of beads"),
        (
            "spectral",
            _fill_spectral,
            "identify it from unpaired blurred and sharp images",
        ),
        (
            "likely",
            _fill_likely,
            "ask raw images which optics are the most likely",
        ),
        (
            "measure",
            _fill_measure,
            "measure widths and centre, and compare with another PSF",
        ),
    ):
        filled = partial(fill, name=name) if fill is _fill_model else fill
        ways.add_parser(name, fill=filled, help=summary, description=summary)


def run(options: argparse.Namespace) -> int:
    """Run the sub-command."""
    return int(options.action(options) or 0)


def _fill_model(parser: argparse.ArgumentParser, name: str) -> None:
    add_optics(parser, required=True)
    add_json(parser)
    add_voxel(parser, text="voxel size", required=True)
    _add_shape(parser, "z y x of the array in voxels; by default the core of the PSF")
    _add_out(parser)
    _add_modality(parser)
    text = (
        "for single planes: thickness of the sample, over which the PSF is summed, so "
        "that out-of-focus light is part of the blur"
    )
    add_number(parser, "--thickness", 0, 100, unit="µm", text=text, metavar="UM")
    if name in ("gibson-lanni", "vectorial"):
        _add_layers(parser)
    parser.set_defaults(action=_compute, model=name)


def _add_modality(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--modality",
        choices=("widefield", "confocal", "lightsheet"),
        default="widefield",
        help="type of microscope; widefield by default",
    )
    text = "confocal: excitation wavelength"
    add_number(parser, "--excitation", 200, 2000, unit="nm", text=text, metavar="NM")
    text = "confocal: diameter of the pinhole, in Airy units; 1 by default"
    add_number(parser, "--pinhole", 0.01, 100, text=text, metavar="AU")
    text = "lightsheet: full width at half maximum of the sheet"
    add_number(parser, "--sheet", 0.01, 1000, unit="µm", text=text, metavar="UM")


def _add_layers(parser: argparse.ArgumentParser) -> None:
    text = "refractive index of the sample; by default --ni"
    add_number(parser, "--ns", 1, 2.5, text=text, metavar="N")
    add_number(
        parser,
        "--depth",
        0,
        DEEPEST,
        unit="µm",
        text="below the coverslip",
        default=0.0,
        metavar="UM",
    )
    add_number(
        parser,
        "--coverslip",
        0,
        THICKEST,
        unit="µm",
        text="thickness of the coverslip; by default 170, the design value",
        metavar="UM",
    )


def _fill_beads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", type=Path, metavar="IMAGE", help="of single beads")
    _add_out(parser)
    add_voxel(parser)
    add_axes(parser)
    _add_shape(parser, "z y x of the PSF in voxels; by default 5 widths of a bead")
    add_number(
        parser,
        "--bead-diameter",
        0,
        100,
        unit="µm",
        text="diameter of the beads, for which the PSF is corrected",
        default=0.0,
        metavar="UM",
    )
    add_index(parser, "--channel", "only this channel")
    add_json(parser)
    parser.set_defaults(action=_distil)


def _fill_spectral(parser: argparse.ArgumentParser) -> None:
    module = importlib.import_module("napari_blurgan.cli.psf_spectral")
    module.add_arguments(parser)
    parser.set_defaults(action=module.run)


def _fill_likely(parser: argparse.ArgumentParser) -> None:
    module = importlib.import_module("napari_blurgan.cli.psf_likely")
    module.add_arguments(parser)
    add_optics(parser, required=True)
    _add_modality(parser)
    _add_layers(parser)
    parser.set_defaults(action=partial(module.run, optics_of=_checked_optics))


def _fill_measure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "psf", type=Path, metavar="PSF", help="a TIFF, or a model folder"
    )
    parser.add_argument("--against", type=Path, metavar="PSF", help="the reference")
    text = "voxel size of the PSF, if its file does not contain it or is wrong"
    add_voxel(parser, "--psf-voxel", text, dest="voxel")
    add_voxel(parser, "--voxel", "the same as --psf-voxel", dest="voxel")
    text = "voxel size of the reference, if its file does not contain it or is wrong"
    add_voxel(parser, "--against-voxel", text)
    add_json(parser)
    parser.set_defaults(action=_measure)


def _add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, required=True, metavar="PSF.ome.tif", help="the result"
    )
    add_overwrite(parser, "an existing file")


def _add_shape(parser: argparse.ArgumentParser, text: str) -> None:
    add_sizes(parser, "--shape", text, nargs=3, metavar=("Z", "Y", "X"))


def _compute(options: argparse.Namespace) -> None:
    """Write the PSF of a model."""
    from napari_blurgan.optics.models import theoretical_psf

    check_psf_place(options.out, options.overwrite)
    _check_modality(options)
    optics = _optics(options)
    shape = options.shape or _default_shape(optics, options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        psf = theoretical_psf(optics, shape, options.voxel, options.model)
    for warning in caught:
        say_warning(f"blurgan: warning: {warning.message}")
    if options.thickness is not None:
        psf = psf.projected(options.thickness)
    psf.save(options.out, overwrite=options.overwrite)
    words = f"{options.out}: {_geometry(psf)}\n{_widths(psf)}"
    answer(options, _figures(psf), words)


def _check_modality(options: argparse.Namespace) -> None:
    """Refuse options of another microscope than the one that is computed."""
    for modality, names in OF_MODALITY.items():
        for name in names:
            if getattr(options, name) is not None and options.modality != modality:
                raise OpticsError(
                    f"--{name} is for --modality {modality}, but the PSF is that of a "
                    f"{options.modality} microscope"
                )


def _default_shape(optics: Optics, options: argparse.Namespace) -> tuple[int, ...]:
    """Return the core of the PSF, or all that a thickness of sample needs."""
    from napari_blurgan.inverse.psf_fit import psf_shape_for
    from napari_blurgan.optics.models import support_shape

    if options.thickness is None:
        return support_shape(optics, options.voxel)
    planes = 2 * int(options.thickness / 2 / options.voxel[0] + 1e-6) + 1
    slab = (planes, LARGE, LARGE)
    z, y, x = psf_shape_for(optics, slab, options.voxel, depths=0.5)
    return max(z, planes), y, x


def _checked_optics(options: argparse.Namespace) -> Optics:
    """Return the microscope, of which all options count."""
    _check_modality(options)
    return _optics(options)


def _optics(options: argparse.Namespace) -> Optics:
    from napari_blurgan.optics.models import Optics

    layers = {}
    if getattr(options, "coverslip", None) is not None:
        layers = {"tg": options.coverslip, "tg0": 170.0}
    return Optics(
        options.na,
        options.ni,
        options.wavelength,
        modality=options.modality,
        excitation=options.excitation,
        pinhole=1.0 if options.pinhole is None else options.pinhole,
        sheet_thickness=options.sheet,
        ns=getattr(options, "ns", None),
        depth=getattr(options, "depth", 0.0),
        **layers,
    )


def _distil(options: argparse.Namespace) -> None:
    """Write the PSF of an image of beads, and print how the beads were classified."""
    from napari_blurgan.identification.beads import psf_from_beads

    check_psf_place(options.out, options.overwrite)
    stack = read_image(
        options.image, axes=options.axes, voxel=options.voxel, strict=options.strict
    )
    voxel = [size for size in stack.voxel_size if size]
    if len(voxel) < 3:
        raise OpticsError(
            f"{options.image}: the file does not contain the voxel size; give "
            f"--voxel Z Y X in µm"
        )
    image = _volume(stack, options.channel)
    psf, report = psf_from_beads(image, voxel, options.bead_diameter, options.shape)
    psf.save(options.out, overwrite=options.overwrite)
    lines = (
        f"{options.out}: {_geometry(psf)}",
        _widths(psf),
        f"fit      {_row(report.fwhm)} µm, a Gaussian to the core",
        f"spread   {_row(report.spread)} µm between the beads",
        ", ".join(f"{n} {verdict}" for verdict, n in report.verdicts.items()),
    )
    facts = {**_figures(psf), "beads": _judgements(report)}
    answer(options, facts, "\n".join(lines))


def _volume(stack: Stack, channel: int | None) -> NDArray[np.generic]:
    if channel is None and stack.channels > 1:
        raise OpticsError(
            f"{stack.name} has {stack.channels} channels; choose one with --channel"
        )
    return stack.frame(channel=channel)[0]


def _judgements(report: BeadReport) -> dict[str, Any]:
    beads = [
        {
            "centre": bead.centre,
            "fwhm_um": _finite(bead.fwhm),
            "verdict": bead.verdict,
        }
        for bead in report.beads
    ]
    return {
        "verdicts": report.verdicts,
        "fitted_fwhm_um": _finite(report.fwhm),
        "spread_um": _finite(report.spread),
        "each": beads,
    }


def _measure(options: argparse.Namespace) -> None:
    """Print the figures of a PSF as it is in the file."""
    psf = load_psf(options.psf, options.voxel)
    reference, voxel = options.against, options.against_voxel
    other = None if reference is None else load_psf(reference, voxel)
    alone = psf.without_offset()
    if alone is not psf:
        share = alone.provenance["offset"]
        say_note(
            f"{options.psf}: lies on a constant level that makes up {share:.0%} of its "
            f"sum, such as a camera offset; it is subtracted wherever the PSF is used"
        )
    figures = _figures(psf)
    lines = [
        f"{options.psf}: {_geometry(psf)}",
        _widths(psf),
        f"centroid {_row(psf.centroid())} voxels from the centre",
    ]
    if other is not None:
        figures["against"] = _comparison(psf, other)
        lines.append(_compared(options.against, psf, other))
    answer(options, figures, "\n".join(lines))


def _figures(psf: Psf) -> dict[str, Any]:
    from napari_blurgan.optics.width import FWHM_METHOD

    widths = psf.fwhm()
    voxels = [w / v for w, v in zip(widths, psf.voxel_size, strict=True)]
    return {
        "shape": psf.shape,
        "voxel_size_um": psf.voxel_size,
        "fwhm_um": _finite(widths),
        "fwhm_voxels": _finite(voxels),
        "fwhm_method": FWHM_METHOD,
        "centroid_voxels": psf.centroid(),
        "provenance": psf.provenance,
    }


def _comparison(psf: Psf, other: Psf) -> dict[str, Any]:
    """Compare at zero shift, on the voxel grid of `psf`."""
    same = other.resampled(psf.voxel_size)
    pairs = zip(psf.fwhm(), other.fwhm(), strict=True)
    return {
        "ncc": psf.ncc(same),
        "relative_error": psf.relative_error(same),
        "fwhm_error": _finite([mine / its - 1 for mine, its in pairs]),
        "resampled": same.shape != other.shape or same.voxel_size != other.voxel_size,
    }


def _compared(path: Path, psf: Psf, other: Psf) -> str:
    found = _comparison(psf, other)
    errors = ", ".join(
        "unknown" if e is None else f"{e:+.1%}" for e in found["fwhm_error"]
    )
    resampled = f", resampled from {_sizes(other)}" if found["resampled"] else ""
    return (
        f"against {path}{resampled}:\n"
        f"  NCC {found['ncc']:.4f} at zero shift, "
        f"relative error {found['relative_error']:.4f}\n"
        f"  FWHM error {errors} (z, y, x)"
    )


def _geometry(psf: Psf) -> str:
    return f"{' × '.join(map(str, psf.shape))} voxels of {_sizes(psf)} (z, y, x)"


def _sizes(psf: Psf) -> str:
    return " × ".join(f"{v:.4g}" for v in psf.voxel_size) + " µm"


def _widths(psf: Psf) -> str:
    widths = psf.fwhm()
    voxels = [w / v for w, v in zip(widths, psf.voxel_size, strict=True)]
    return f"FWHM     {_row(widths)} µm, {_row(voxels, 2)} voxels"


def _row(values: Triple, digits: int = 4) -> str:
    return "  ".join(
        "unknown" if math.isnan(v) else f"{round(v, digits) + 0:.{digits}f}"
        for v in values
    )


def _finite(values: Triple) -> list[float | None]:
    return [float(v) if math.isfinite(v) else None for v in values]
