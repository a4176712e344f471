"""Real images with data that no method is shown: detectors, planes, photons.

Each field is a blurred image that is restored, its PSF, and a second image of the same
object with noise of its own, which a restoration, blurred again, has to predict.
Detectors and planes were taken apart by the microscope; photons are split here, with
the gain and the read noise that the image itself shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import shift

from benchmarks.helpers.cameras import camera_of, halves_of
from napari_blurgan import Optics, Psf, Stack
from napari_blurgan.inverse.psf_fit import psf_shape_for
from napari_blurgan.optics.models import theoretical_psf
from napari_blurgan.reading.images import read_stack

__all__ = ["FIELDS", "Field"]

Array = NDArray[np.float32]
DEPTHS = 0.5
"""Of the stack, that the PSF reaches up and down."""


@dataclass(frozen=True)
class Field:
    """An image, and what is kept from who restores it.

    Parameters
    ----------
    stack : Stack
        What is restored.
    psf : Psf
        Of it.
    unseen : ndarray
        Of the shape of the stack, or with one plane less where it holds the planes
        between.
    kind : str
        Of what is kept: detectors, planes or photons.
    confocal : ndarray, optional
        Of the same field as the stack.
    """

    stack: Stack
    psf: Psf
    unseen: Array
    kind: str
    confocal: Array | None = None

    @property
    def between(self) -> bool:
        """Whether the unseen planes lie between those of the stack."""
        return self.unseen.shape != self.stack.spatial_shape


def theory(optics: Optics, stack: Stack) -> Psf:
    """Return the PSF as deep as a stack."""
    voxel = tuple(float(v or 1) for v in stack.voxel_size)
    shape = psf_shape_for(optics, stack.spatial_shape, voxel, DEPTHS)
    return theoretical_psf(optics, shape, voxel)


def split(
    image: Array, voxel: tuple[float, ...], psf: Psf | Optics, name: str, **rest: object
) -> Field:
    """Keep half of the photons."""
    seen, unseen = halves_of(image, camera_of(image), seed=1)
    stack = Stack(seen, "ZYX", voxel, name)
    psf = theory(psf, stack) if isinstance(psf, Optics) else psf
    return Field(stack, psf, unseen, "photons", **rest)  # type: ignore[arg-type]


def pixels(path: Path, channel: int = 0) -> Array:
    """Read the first time point of a channel."""
    return read_stack(path).frame(0, channel)[0].astype(np.float32)


def sheared(optics: Optics, voxel: tuple[float, float, float], step: float) -> Psf:
    """Return the PSF of a stack whose planes lie askew.

    Parameters
    ----------
    optics : Optics
        Of the detection.
    voxel : tuple of float
        Depth from one plane to the next, and pixels.
    step : float
        Pixels along y by which what a plane shows lies further in the next one.
    """
    straight = theoretical_psf(optics, (13, 25, 25), voxel).data
    width = 25 + 2 * int(np.ceil(6 * abs(step)))
    border = (width - 25) // 2
    planes = [
        shift(np.pad(plane, ((border, border), (0, 0))), (step * (k - 6), 0), order=1)
        for k, plane in enumerate(straight)
    ]
    return Psf(np.stack(planes).clip(min=0), voxel)


def worm(folder: Path) -> Field:
    """Muscle of C. elegans: every second detector of an Airyscan."""
    name = "G_real/A_pairs2d/celegans_airyscan_32detectors.ome.tif"
    frames = read_stack(folder / name)
    images = np.stack([frames.frame(t, 0)[0] for t in range(32)]).astype(np.float32)
    images = images.reshape(32, *images.shape[-2:])
    voxel = (None, 0.0426, 0.0426)
    optics = Optics(1.4, 1.518, 522.5, modality="confocal", excitation=488, pinhole=1.2)
    focus = theoretical_psf(optics, (1, 25, 25), (0.1, 0.0426, 0.0426))
    seen = Stack(images[::2].sum(0), "YX", voxel, "worm")
    return Field(seen, focus, images[1::2].sum(0), "detectors")


def actin(folder: Path) -> Field:
    """One hazy widefield plane, and its confocal image of the same photons.

    The aperture and a thickness of 2 µm are guessed. Of 90,000 photons in the
    brightest pixel, 1,000 are restored, and 1,000 others are kept.
    """
    pair = folder / "G_real/A_pairs2d/actin_widefield_confocal_a.ome.tif"
    light = (pixels(pair, 0) - 400).clip(min=0)
    light *= 1000 / light.max()
    rng = np.random.default_rng(1)
    seen, unseen = (rng.poisson(light).astype(np.float32) + 100 for _ in range(2))
    voxel = (0.1, 0.065, 0.065)
    deep = theoretical_psf(Optics(1.4, 1.515, 525), (21, 121, 121), voxel)
    stack = Stack(seen, "YX", (None, *voxel[1:]), "actin")
    confocal = pixels(pair, 1)
    return Field(stack, deep.projected(2.0), unseen, "photons", confocal)


def mitochondria(folder: Path) -> Field:
    """Light-sheet planes 50 nm apart; pixels and aperture are guessed."""
    name = "G_real/B_stacks3d/mitochondria_lightsheet_dz50nm.ome.tif"
    image = pixels(folder / name)
    voxel = (0.1, 0.065, 0.065)
    stack = Stack(image[::2], "ZYX", voxel, "mitochondria")
    optics = Optics(1.0, 1.333, 525, modality="lightsheet", sheet_thickness=0.8)
    return Field(stack, theory(optics, stack), image[1:-1:2], "planes")


def red_cells(number: int) -> Callable[[Path], Field]:
    """Membranes of red blood cells, lattice light sheet, not deskewed."""

    def read(folder: Path) -> Field:
        name = f"G_real/B_stacks3d/rbc_lattice_lightsheet_raw_{number}.ome.tif"
        image = pixels(folder / name)[:64, :, :160]
        optics = Optics(1.0, 1.333, 524.5, modality="lightsheet", sheet_thickness=1.0)
        voxel = (0.15, 0.145, 0.145)
        psf = sheared(optics, voxel, -1.79)
        return split(image, voxel, psf, f"red cells {number}")

    return read


def stained(folder: Path) -> Field:
    """A DAPI nucleus whose optics are known."""
    image = pixels(folder / "G_real/B_stacks3d/dapi_nucleus_widefield.ome.tif")
    return split(image, (0.3, 0.13, 0.13), Optics(1.45, 1.512, 461), "DAPI nucleus")


def nucleus(folder: Path) -> Field:
    """A nucleus in widefield; its confocal image is no part of the training."""
    pair = folder / "A_widefield3d/dna_confocal_widefield_pair.tif"
    stack = read_stack(pair)
    voxel = tuple(float(v or 1) for v in stack.voxel_size)
    optics = Optics(1.2, 1.333, 455)
    confocal = pixels(pair, 0)
    return split(pixels(pair, 1), voxel, optics, "nucleus", confocal=confocal)


def yeast(folder: Path) -> Field:
    """Mitochondria of living yeast; the aperture is guessed."""
    image = pixels(folder / "A_widefield3d/yeast_mitochondria_t00-02.ome.tif")
    return split(image, (0.25, 0.0655, 0.0655), Optics(1.4, 1.515, 510), "yeast")


def puncta(folder: Path) -> Field:
    """Puncta in a cell, lattice light sheet, not deskewed."""
    image = pixels(folder / "A_widefield3d/llsm_raw_crop.ome.tif")
    # It lies askew along x.
    image = np.ascontiguousarray(np.swapaxes(image, 1, 2)[:64])
    optics = Optics(1.1, 1.333, 525, modality="lightsheet", sheet_thickness=0.6)
    voxel = (0.3 * float(np.sin(np.radians(31.5))), 0.1, 0.1)
    step = -0.3 * float(np.cos(np.radians(31.5))) / 0.1
    return split(image, voxel, sheared(optics, voxel, step), "puncta")


FIELDS: Mapping[str, Callable[[Path], Field]] = {
    "actin": actin,
    "worm": worm,
    "mitochondria": mitochondria,
    "red cells 1": red_cells(1),
    "red cells 2": red_cells(2),
    "DAPI nucleus": stained,
    "nucleus": nucleus,
    "yeast": yeast,
    "puncta": puncta,
}
