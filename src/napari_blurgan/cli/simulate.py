"""`blurgan simulate`: a phantom, its blurred image and the PSF between them."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_blurgan.checks import check_parent, refuse_existing
from napari_blurgan.cli._common import add_optics, add_overwrite
from napari_blurgan.cli._output import add_json, answer
from napari_blurgan.cli._parser import (
    LARGEST_SEED,
    add_number,
    add_sizes,
    add_voxel,
    add_whole,
)
from napari_blurgan.errors import OpticsError

if TYPE_CHECKING:
    from napari_blurgan.optics.camera import Exposure
    from napari_blurgan.optics.psf import Psf

__all__ = ["add_arguments", "run"]

STRUCTURES = ("microtubules", "vesicles", "membranes", "nuclei", "beads")
# Simulated size of the PSF, see `support_shape`: a widefield PSF has no end.
EXTENT = 4.0
BYTES = 40
"""Bytes per voxel, at least: structure, blur and noise are ten float32 arrays."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("out", type=Path, metavar="OUT", help="folder for the files")
    add_overwrite(parser, "existing files")
    add_json(parser)
    parser.add_argument(
        "--structure", choices=STRUCTURES, required=True, help="kind of structure"
    )
    needed: dict[str, Any] = {"nargs": "+", "required": True}
    add_sizes(parser, "--shape", "Z Y X or Y X of the image", metavar="N", **needed)
    add_voxel(parser, text="voxel size, Z Y X or Y X", metavar="UM", **needed)
    text = "of structure and noise"
    add_whole(parser, "--seed", 0, LARGEST_SEED, text=text, default=0, metavar="S")
    text = "number of objects, relative to the default"
    add_number(parser, "--density", 0.001, 1000, text=text, default=1.0, metavar="D")
    text = "of filaments and membranes; by default a typical one"
    add_number(parser, "--thickness", 0.001, 100, unit="µm", text=text, metavar="UM")
    add_optics(parser, required=True)
    _add_psf(parser.add_argument_group("PSF"))
    _add_noise(parser.add_argument_group("noise"))


def _add_psf(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--model",
        default="auto",
        metavar="M",
        help="of the PSF, see blurgan psf; auto (default) is vectorial",
    )
    text = (
        "Z Y X of the PSF in voxels; by default four axial periods and eight Airy "
        "radii each way"
    )
    add_sizes(group, "--psf-shape", text, nargs="+", metavar="N")


def _add_noise(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--noise",
        choices=("camera", "paper", "none"),
        default="camera",
        help="camera (default) is Poisson-Gaussian; paper is that of Lim et al. on "
        "grey levels 0 to 255",
    )
    for name, metavar, least, default, text in (
        ("--photons", "N", 1e-6, 1000.0, "photons for a value of one"),
        ("--read-noise", "E", 0, 1.5, "read noise of the camera, in electrons"),
        ("--gain", "GREY", 1e-6, 1.0, "grey levels per photo-electron"),
        ("--offset", "GREY", 0, 100.0, "grey level in the dark"),
    ):
        add_number(group, name, least, 1e9, text=text, default=default, metavar=metavar)


def run(options: argparse.Namespace) -> int:
    """Write sharp, blurred and psf as OME-TIFF."""
    from napari_blurgan.optics.phantoms import phantom
    from napari_blurgan.optics.simulation import margin_for, simulate
    from napari_blurgan.writing.ome_tiff import write_ome_tiff

    for name in ("sharp", "blurred", "psf"):
        refuse_existing(options.out / f"{name}.ome.tif", options.overwrite)
    check_parent(options.out / "sharp.ome.tif")
    shape, voxel = _geometry(options.shape, options.voxel)
    _check_memory(shape)
    psf = _psf(options, voxel)
    margin = margin_for(psf.data, len(shape))
    drawn = phantom(
        options.structure,
        [n + 2 * m for n, m in zip(shape, margin, strict=True)],
        voxel,
        options.seed,
        **_structure_options(options),
    )
    camera = _camera(options)
    sharp, blurred = simulate(
        drawn, psf.data, seed=options.seed, camera=camera, margin=margin
    )
    for name, image in (("sharp", sharp), ("blurred", blurred)):
        write_ome_tiff(
            options.out / f"{name}.ome.tif",
            image,
            "ZYX"[-len(shape) :],
            (voxel[0] if len(shape) == 3 else None, voxel[1], voxel[2]),
            description=_provenance(options, name),
        )
    psf.save(options.out / "psf.ome.tif", overwrite=options.overwrite)
    names = ("sharp", "blurred", "psf")
    files = {name: str(options.out / f"{name}.ome.tif") for name in names}
    words = f"{options.out}: sharp.ome.tif, blurred.ome.tif, psf.ome.tif"
    answer(options, files, words)
    return 0


def _check_memory(shape: tuple[int, ...]) -> None:
    """Refuse what does not fit into memory, before simulating anything."""
    from napari_blurgan.headers.limits import refuse_beyond_memory

    words = "×".join(map(str, shape))
    refuse_beyond_memory(BYTES * math.prod(shape), f"an image of {words} voxels")


def _geometry(
    shape: list[int], voxel: list[float]
) -> tuple[tuple[int, ...], tuple[float, float, float]]:
    if len(shape) not in (2, 3) or len(voxel) not in (len(shape), 3):
        raise OpticsError(
            "--shape and --voxel take Z Y X or Y X; found "
            f"{' '.join(map(str, shape))} and {' '.join(map(str, voxel))}"
        )
    z, y, x = voxel if len(voxel) == 3 else (voxel[0], *voxel)
    return tuple(shape), (z, y, x)


def _psf(options: argparse.Namespace, voxel: tuple[float, float, float]) -> Psf:
    from napari_blurgan.optics.models import Optics, support_shape, theoretical_psf

    optics = Optics(options.na, options.ni, options.wavelength)
    shape = list(options.psf_shape or support_shape(optics, voxel, EXTENT))
    if len(options.shape) == 2 or options.shape[0] == 1:
        shape = [1, *shape[-2:]]
    return theoretical_psf(optics, shape, voxel, options.model)


def _structure_options(options: argparse.Namespace) -> dict[str, float]:
    chosen = {"density": options.density}
    if options.thickness is not None:
        chosen["thickness"] = options.thickness
    return chosen


def _camera(options: argparse.Namespace) -> Exposure | None:
    from napari_blurgan.optics.camera import Camera, paper_noise

    if options.noise == "none":
        return None
    if options.noise == "paper":
        return paper_noise
    return Camera(
        options.photons, options.read_noise, options.gain, options.offset
    ).expose


def _provenance(options: argparse.Namespace, name: str) -> dict[str, Any]:
    chosen = {k: v for k, v in vars(options).items() if k not in ("out", "run")}
    return {"what": f"simulated, {name}", "simulate": chosen}
