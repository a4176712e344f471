"""`blurgan simulate`: a phantom, its blurred image and the PSF between them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_blurgan.checks import refuse_existing
from napari_blurgan.cli._common import add_overwrite
from napari_blurgan.errors import OpticsError

if TYPE_CHECKING:
    from napari_blurgan.optics.camera import Exposure
    from napari_blurgan.optics.psf import Psf

__all__ = ["add_arguments", "run"]

STRUCTURES = ("microtubules", "vesicles", "membranes", "nuclei", "beads")
# How much of the PSF is simulated, see `support_shape`: the widefield PSF never ends.
EXTENT = 4.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `run` reads."""
    parser.add_argument("out", type=Path, metavar="OUT", help="folder for the files")
    add_overwrite(parser, "files")
    parser.add_argument("--structure", choices=STRUCTURES, required=True)
    parser.add_argument(
        "--shape", type=int, nargs="+", required=True, metavar="N", help="Z Y X or Y X"
    )
    parser.add_argument(
        "--voxel",
        type=float,
        nargs="+",
        required=True,
        metavar="UM",
        help="Z Y X or Y X, in micrometres",
    )
    parser.add_argument("--seed", type=_seed, default=0, help="of structure and noise")
    parser.add_argument(
        "--density", type=float, default=1.0, help="number of objects, 1 is usual"
    )
    parser.add_argument(
        "--thickness", type=float, metavar="UM", help="of filaments and membranes"
    )
    _add_optics(parser.add_argument_group("optics"))
    _add_noise(parser.add_argument_group("noise"))


def _add_optics(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--na", type=float, required=True, help="numerical aperture")
    group.add_argument("--ni", type=float, required=True, help="immersion index")
    group.add_argument(
        "--wavelength", type=float, required=True, metavar="NM", help="of the emission"
    )
    group.add_argument("--model", default="auto", help="of the PSF, see `blurgan psf`")
    group.add_argument(
        "--psf-shape",
        type=int,
        nargs="+",
        metavar="N",
        help="Z Y X; by default four axial periods and eight Airy radii each way",
    )


def _add_noise(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--noise",
        choices=("camera", "paper", "none"),
        default="camera",
        help="Poisson-Gaussian, or that of Lim et al. on grey levels 0 to 255, or none",
    )
    group.add_argument(
        "--photons",
        type=float,
        default=1000.0,
        help="that an unblurred value of one stands for",
    )
    group.add_argument("--read-noise", type=float, default=1.5, metavar="ELECTRONS")
    group.add_argument("--gain", type=float, default=1.0, help="grey levels a photon")
    group.add_argument("--offset", type=float, default=100.0, help="grey level of dark")


def run(options: argparse.Namespace) -> int:
    """Write sharp, blurred and psf as OME-TIFF."""
    from napari_blurgan.data.io import write_ome_tiff
    from napari_blurgan.optics.phantoms import phantom
    from napari_blurgan.optics.simulation import margin_for, simulate

    for name in ("sharp", "blurred", "psf"):
        refuse_existing(options.out / f"{name}.ome.tif", options.overwrite)
    shape, voxel = _geometry(options.shape, options.voxel)
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
    print(f"{options.out}: sharp.ome.tif, blurred.ome.tif, psf.ome.tif")
    return 0


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a seed is a whole number, found {text!r}")
    return int(text)


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
