"""What is known about the blur before training, and the kernel size it requires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.axes import VoxelSize, known
from napari_blurgan.inverse.psf_fit import psf_shape_for
from napari_blurgan.optics.models import Optics, support_shape, theoretical_psf
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.pupil import Model

__all__ = ["Start", "kernel_of", "known_or_unit", "share_of_light", "support"]

MOST_LIGHT = 0.98
"""Share of the light of a PSF within the support of a known kernel."""

FALLBACK = 15
"""Default kernel size in voxels, without a PSF or optics."""


@dataclass(frozen=True)
class Start:
    """What is known about the blur before training.

    Parameters
    ----------
    psf : Psf or None
        On the voxels of the data, or on others.
    optics : Optics or None
        Of the microscope; effective ones where they were identified.
    voxel_size : tuple of float
        (z, y, x) of the data, in micrometres.
    largest : tuple of int
        Voxels that a kernel may have at the most, one number a spatial axis.
    model : str
        Of the pupil that goes with the optics.
    held : bool
        Whether the blur cannot be estimated from the images, so that it stays as known.
    sized : bool
        Whether the voxel size is known, not assumed to be one.
    """

    psf: Psf | None
    optics: Optics | None
    voxel_size: tuple[float, float, float]
    largest: tuple[int, ...]
    model: Model = "vectorial"
    held: bool = False
    sized: bool = True


def known_or_unit(voxel_size: VoxelSize, dims: int) -> tuple[float, float, float]:
    """Return the voxel size, or cubic voxels of size one if it is unknown."""
    return known(voxel_size, dims) or (1.0, 1.0, 1.0)


def support(
    start: Start,
    patch: Sequence[int],
    learned: bool,
    refines: bool,
    searched: bool = False,
) -> tuple[int, int, int]:
    """Return the odd (z, y, x) support of a kernel without a given size.

    Large enough for the core of the PSF, and for the cone of light around it if the
    kernel is not learned, or if the images are searched for its end; without an
    estimate, small enough that for half a patch all light blurred into it comes from
    within the patch.
    """
    dims = len(patch)
    if start.optics is not None and learned and not searched:
        size: Sequence[int] = support_shape(start.optics, start.voxel_size)
    elif start.optics is not None and (learned or start.psf is None):
        size = _with_haze(start, start.optics, patch)
    elif start.psf is not None:
        size = start.psf.resampled(start.voxel_size).cropped(energy=MOST_LIGHT).shape
    else:
        size = (FALLBACK,) * 3
    pairs = zip(size[-dims:], start.largest, strict=True)
    odd = [_odd(min(n, most)) for n, most in pairs]
    if not refines:
        odd = [min(n, _odd(p / 2)) for n, p in zip(odd, patch, strict=True)]
    z, y, x = [1] * (3 - dims) + odd
    return z, y, x


def _with_haze(start: Start, optics: Optics, patch: Sequence[int]) -> tuple[int, ...]:
    """Return a support that contains nearly all the light, at most two patches wide."""
    core = support_shape(optics, start.voxel_size)
    if len(patch) < 3:
        return core
    light = _whole(start, optics).cropped(energy=MOST_LIGHT).shape
    sizes = zip(core, light, patch, strict=True)
    return tuple(max(least, min(n, 2 * p)) for least, n, p in sizes)


def share_of_light(start: Start, shape: Sequence[int]) -> float | None:
    """Return the share of the light predicted by the optics that `shape` contains.

    The light is that within the depth of the images, because the cone of light of a
    widefield microscope has no end. None without optics, or for planes.
    """
    if start.optics is None or len(start.largest) < 3:
        return None
    psf = _whole(start, start.optics)
    return float(psf.cropped(shape).provenance["cropped"]["kept"])


def _whole(start: Start, optics: Optics) -> Psf:
    """Return the PSF over the depth of the images."""
    return _predicted(optics, start.largest, start.voxel_size)


@lru_cache(maxsize=1)
def _predicted(
    optics: Optics, images: tuple[int, ...], voxel_size: tuple[float, float, float]
) -> Psf:
    """Cached, because notes and kernel both need it and it takes a second."""
    shape = psf_shape_for(optics, images, voxel_size, depths=0.5)
    return theoretical_psf(optics, shape, voxel_size)


def _odd(size: float) -> int:
    return max(1, 2 * ((int(size) - 1) // 2) + 1)


def kernel_of(psf: Psf, shape: Sequence[int]) -> NDArray[np.float32]:
    """Return the core of a PSF, centred, as a kernel of exactly this (z, y, x) shape.

    A PSF in FFT order is reordered, and a camera offset subtracted, if necessary.
    """
    return psf.in_order().without_offset().centred().cropped(shape).padded(shape).data
