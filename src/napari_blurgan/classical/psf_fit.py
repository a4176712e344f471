"""Make a PSF fit an image: centred, in plane, on the image's voxels, not too large."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.stack import VoxelSize
from napari_blurgan.optics import geometry
from napari_blurgan.optics.models import Optics, support_shape
from napari_blurgan.optics.psf import Psf

__all__ = ["PsfLike", "centred", "fit_psf", "psf_shape_for"]

PsfLike = Psf | NDArray[np.floating]
Fitted = tuple[Psf, str | None]

# Smaller offsets are within what a measured PSF's own noise does to its core.
CENTRED = 0.05
SAME_SIZE = 0.005
SUPPORT = 0.999


def fit_psf(
    psf: PsfLike, shape: Sequence[int], voxel_size: VoxelSize | None = None
) -> tuple[Psf, tuple[str, ...]]:
    """Return the PSF for images of one shape, and what was done to it, in words.

    It is put in order if it was in FFT order, centred where it is more than 0.05 voxel
    off, reduced to its middle plane for images of one plane, resampled to the voxels of
    the image and, where it is larger than the image, cropped to the box that holds
    99.9 % of it and fits.

    Parameters
    ----------
    psf : Psf or ndarray
        An array, (z, y, x) or (y, x), is taken to have the voxels of the image.
    shape : sequence of int
        (z, y, x) or (y, x) of the images.
    voxel_size : tuple of (float or None), optional
        (z, y, x) of the image in micrometres; where unknown, the PSF's own.

    Raises
    ------
    OpticsError
        If the PSF is no PSF: negative, NaN, all zero, or of other axes.
    """
    known = psf if isinstance(psf, Psf) else _with_voxels(psf, voxel_size)
    ordered, wrapped = _in_order(known)
    middle, moved = centred(ordered)
    planar, picked = _in_plane(middle, shape)
    resampled, scaled = _resampled(planar, voxel_size)
    cropped, cut = _cropped(resampled, shape)
    notes = (wrapped, moved, picked, scaled, cut)
    return cropped, tuple(note for note in notes if note)


def psf_shape_for(
    optics: Optics, shape: Sequence[int], voxel_size: Sequence[float]
) -> tuple[int, ...]:
    """Return the odd (z, y, x) of the theoretical PSF that a stack needs.

    In a widefield microscope the light of every plane falls into all the others: there
    it is as deep as the stack and as wide as the cone of light over half that depth,
    at most as the stack. Else, or for one plane, it is the core alone.

    Parameters
    ----------
    optics : Optics
        NA, refractive index, wavelength and modality are used.
    shape : sequence of int
        (z, y, x) or (y, x) of the images.
    voxel_size : sequence of float
        (z, y, x) in micrometres.
    """
    core = support_shape(optics, voxel_size)
    if len(shape) == 2 or shape[0] == 1 or optics.modality != "widefield":
        return core
    half = shape[0] // 2 * voxel_size[0]
    reach = half * math.tan(math.asin(min(optics.na / optics.ni, 1.0)))
    sizes = (
        2 * math.ceil(r / v) + 1
        for r, v in zip((half, reach, reach), voxel_size, strict=True)
    )
    odd = (n - 1 + n % 2 for n in shape)
    pairs = zip(core, sizes, odd, strict=True)
    return tuple(max(least, min(size, most)) for least, size, most in pairs)


def _with_voxels(psf: NDArray[np.floating], voxel_size: VoxelSize | None) -> Psf:
    data = np.asarray(psf)
    z, y, x = voxel_size or (None, None, None)
    return Psf(data[None] if data.ndim == 2 else data, (z or 1.0, y or 1.0, x or 1.0))


def _in_order(psf: Psf) -> Fitted:
    ordered = psf.in_order()
    if ordered is psf:
        return psf, None
    return ordered, (
        f"the PSF was in FFT order along {ordered.provenance['fft_order']}, its centre "
        "at the first voxel: put in order"
    )


def centred(psf: Psf) -> Fitted:
    """Return the PSF, centred if it is more than 0.05 voxel off, and what was done."""
    middle = [n // 2 for n in psf.shape]
    offset = np.subtract(geometry.core_centre(psf.data), middle)
    if np.abs(offset).max() <= CENTRED:
        return psf, None
    off = ", ".join(f"{o:+.2f}" for o in offset)
    return (
        psf.centred(),
        f"the PSF was ({off}) voxels off its centre (z, y, x): centred",
    )


def _in_plane(psf: Psf, shape: Sequence[int]) -> Fitted:
    planes = psf.shape[0]
    if planes == 1 or (len(shape) == 3 and shape[0] > 1):
        return psf, None
    middle = Psf(psf.data[planes // 2][None], psf.voxel_size, psf.provenance)
    return middle, f"of the PSF's {planes} planes the middle one is used, for a plane"


def _resampled(psf: Psf, voxel_size: VoxelSize | None) -> Fitted:
    pairs = zip(voxel_size or (None, None, None), psf.voxel_size, strict=True)
    z, y, x = (ours or its for ours, its in pairs)
    if np.allclose((z, y, x), psf.voxel_size, rtol=SAME_SIZE):
        return psf, None
    resampled = psf.resampled((z, y, x))
    return resampled, (
        f"the PSF was resampled from {_um(psf.voxel_size)} to {_um((z, y, x))}"
    )


def _cropped(psf: Psf, shape: Sequence[int]) -> Fitted:
    room = np.array([1, *shape][-3:])
    if (np.array(psf.shape) <= room).all():
        return psf, None
    support = psf.cropped(energy=SUPPORT)
    odd = room - 1 + room % 2
    cropped = support.cropped(np.minimum(support.shape, odd).tolist())
    kept = support.provenance["cropped"]["kept"] * cropped.provenance["cropped"]["kept"]
    return cropped, (
        f"the PSF of {psf.shape} voxels is larger than the image: cropped to "
        f"{cropped.shape}, which holds {kept:.1%} of it"
    )


def _um(size: Sequence[float]) -> str:
    return " × ".join(f"{s:.4g}" for s in size) + " µm"
