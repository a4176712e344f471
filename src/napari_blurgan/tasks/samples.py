"""Sample images: two real stacks in the package, and simulated ones."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.phantoms import beads, microtubules
from napari_blurgan.optics.simulation import margin_for, simulate
from napari_blurgan.reading.images import read_stack

if TYPE_CHECKING:
    from napari_blurgan.optics.psf import Psf

__all__ = ["SAMPLES", "bead_sample", "microtubule_sample", "sample"]

SAMPLES = ("dna", "yeast")
VOXEL = (0.2, 0.08, 0.08)


def sample(name: str) -> Stack:
    """Read a real stack from the package into memory.

    Parameters
    ----------
    name : {"dna", "yeast"}
        A nucleus in confocal (channel 0) and widefield (channel 1); mitochondria of
        living yeast. ``samples/README.md`` in the package has credits and licences.

    Returns
    -------
    Stack
        ``metadata["provenance"]`` holds the credit, the licence and what is known of
        the optics.

    Raises
    ------
    DataError
        If there is no such sample.
    """
    if name not in SAMPLES:
        raise DataError(f"no sample {name!r}; there are {', '.join(SAMPLES)}")
    with as_file(files("napari_blurgan") / "samples" / f"{name}.ome.tif") as path:
        stack = read_stack(path)
        return replace(stack, data=stack.data[:], name=name)


def microtubule_sample(
    shape: tuple[int, int, int] = (32, 160, 160), seed: int = 0
) -> tuple[Stack, Stack, Psf]:
    """Simulate microtubules: the ground truth, its widefield image, and the PSF.

    Parameters
    ----------
    shape : tuple of int
        (z, y, x).
    seed : int
        Of the structure and the noise.

    Returns
    -------
    sharp, blurred : Stack
        Structure in [0, 1], and grey levels.
    psf : Psf
        Of an NA 1.4 oil objective at 525 nm.
    """
    psf = _oil_psf()
    margin = margin_for(psf.data)
    padded = tuple(n + 2 * m for n, m in zip(shape, margin, strict=True))
    drawn = microtubules(padded, VOXEL, seed=seed)
    camera = Camera(photons=1500)
    sharp, blurred = simulate(
        drawn, psf.data, seed=seed, camera=camera.expose, margin=margin
    )
    return (
        Stack(sharp, "ZYX", VOXEL, "microtubules, sharp"),
        Stack(blurred, "ZYX", VOXEL, "microtubules, blurred"),
        psf,
    )


def bead_sample(shape: tuple[int, int, int] = (48, 160, 160), seed: int = 0) -> Stack:
    """Simulate a widefield image of beads of 0.1 µm.

    Parameters
    ----------
    shape : tuple of int
        (z, y, x).
    seed : int
        Of the positions and the noise.

    Returns
    -------
    Stack
        Grey levels, seen by the microscope of `microtubule_sample`.
    """
    sharp = beads(shape, VOXEL, seed=seed, diameter=0.1, density=2.0)
    camera = Camera(photons=100_000)
    _, blurred = simulate(sharp, _oil_psf().data, seed=seed, camera=camera.expose)
    return Stack(blurred, "ZYX", VOXEL, "beads")


def _oil_psf() -> Psf:
    # Computing a PSF loads torch; reading a stack should not wait for it.
    from napari_blurgan.optics.models import Optics, support_shape, theoretical_psf

    optics = Optics(na=1.4, ni=1.515, wavelength=525)
    return theoretical_psf(optics, support_shape(optics, VOXEL, extent=4.0), VOXEL)
