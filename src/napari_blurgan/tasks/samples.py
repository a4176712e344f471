"""Sample images: two real stacks in the package, and simulated ones."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from napari_blurgan.data.complex_numbers import in_parts
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.phantoms import beads, heads, microtubules, vesicles
from napari_blurgan.optics.simulation import margin_for, simulate
from napari_blurgan.reading.images import read_stack

if TYPE_CHECKING:
    from napari_blurgan.optics.psf import Psf

__all__ = [
    "SAMPLES",
    "bead_sample",
    "flat_sample",
    "head_sample",
    "microtubule_sample",
    "projection_sample",
    "sample",
]

SAMPLES = ("dna", "yeast")
VOXEL = (0.2, 0.08, 0.08)
CUBE = (0.1, 0.1, 0.1)


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


def head_sample(count: int = 96, seed: int = 0) -> tuple[Stack, Stack]:
    """Simulate magnetic resonance: heads with a quarter of k-space, and other ones.

    Parameters
    ----------
    count : int
        Slices of 64 x 64 pixels in each.
    seed : int
        Of heads, lines and noise.

    Returns
    -------
    undersampled, sharp : Stack
        (c, slice, y, x), real and imaginary parts; the lines of each slice are others.
    """
    import torch

    from napari_blurgan.data.kspace import draw_lines

    drawn = heads((64, 64), 2 * count, seed=seed)
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    noise = rng.normal(scale=0.01, size=(*drawn.shape, 2)) @ (1, 1j)
    measured, sharp = np.split((drawn + noise).astype(np.complex64), 2)
    lines = np.stack([draw_lines(64, 4.0, 0.04, generator).numpy() for _ in measured])
    spectra = np.fft.fft(measured, axis=1) * lines[:, :, np.newaxis]
    seen = np.fft.ifft(spectra, axis=1).astype(np.complex64)
    return (
        in_parts(Stack(seen, "ZYX", name="heads, undersampled")),
        in_parts(Stack(sharp, "ZYX", name="other heads, fully sampled")),
    )


def flat_sample(
    shape: tuple[int, int, int] = (64, 96, 96), seed: int = 0
) -> tuple[Stack, Stack]:
    """Simulate vesicles, blurred three times as much along z, in every second plane.

    Parameters
    ----------
    shape : tuple of int
        (z, y, x) of the truth, in voxels of 0.1 µm.
    seed : int
        Of the structure and the noise.

    Returns
    -------
    measured, truth : Stack
        Grey levels; the truth is as sharp along z as in the planes.
    """
    drawn = gaussian_filter(vesicles(shape, CUBE, seed=seed), 1.2)
    truth = 100 + 300 * drawn / drawn.max()
    wide = gaussian_filter1d(truth, 1.2 * 8**0.5, axis=0)[::2]
    seen = np.random.default_rng(seed).poisson(wide).astype(np.float32)
    flat = (2 * CUBE[0], *CUBE[1:])
    return (
        Stack(seen, "ZYX", flat, "vesicles, blurred along z"),
        Stack(truth.astype(np.float32), "ZYX", CUBE, "vesicles, isotropic"),
    )


def projection_sample(count: int = 8, seed: int = 0) -> tuple[Stack, Stack]:
    """Simulate tomography: projections that were not measured, and measured ones.

    Parameters
    ----------
    count : int
        Cells in each.
    seed : int
        Of the cells.

    Returns
    -------
    bad, good : Stack
        (t, y, x), one projection at each time, so that they are no volume. Bad ones are
        those of reconstructions from -60 to 60 degrees, at the other angles; good ones
        those of other cells at those angles.
    """
    from napari_blurgan.optics.phantoms.projections import missing_views

    bad, good = missing_views(count, seed, rounds=20)
    return (
        Stack(bad, "TYX", name="projections, not measured"),
        Stack(good, "TYX", name="projections, measured"),
    )


def _oil_psf() -> Psf:
    # Computing a PSF loads torch; reading a stack should not wait for it.
    from napari_blurgan.optics.models import Optics, support_shape, theoretical_psf

    optics = Optics(na=1.4, ni=1.515, wavelength=525)
    return theoretical_psf(optics, support_shape(optics, VOXEL, extent=4.0), VOXEL)
