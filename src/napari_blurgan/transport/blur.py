"""The blur to start from: given, computed from optics, identified or at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.classical.psf_fit import psf_shape_for
from napari_blurgan.data.stack import VoxelSize
from napari_blurgan.errors import RecipeError
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import (
    FixedKernel,
    FreeKernel,
    Kernel,
    SoftmaxKernel,
    gaussian_kernel,
    random_kernel,
)
from napari_blurgan.optics.models import Optics, support_shape, theoretical_psf
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.pupil import Model, PupilKernel
from napari_blurgan.transport.recipe import Recipe

__all__ = [
    "Start",
    "check_size",
    "kernel_of",
    "make_blur",
    "share_of_light",
    "support",
]

MOST_LIGHT = 0.98
"""Share of a PSF's light that the support of a kernel which is known holds."""

FALLBACK = 15
"""Voxels along each axis where neither a PSF nor optics say more."""


@dataclass(frozen=True)
class Start:
    """What is known of the blur before training.

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
        Whether the images cannot tell the blur, so that it stays as it is known.
    """

    psf: Psf | None
    optics: Optics | None
    voxel_size: tuple[float, float, float]
    largest: tuple[int, ...]
    model: Model = "vectorial"
    held: bool = False


def known(voxel_size: VoxelSize, dims: int) -> tuple[float, float, float] | None:
    """Return the voxel size if every axis that matters has one."""
    z, y, x = voxel_size
    if y is None or x is None or (dims == 3 and z is None):
        return None
    return (1.0 if z is None else z, y, x)


def check_size(recipe: Recipe, largest: Sequence[int]) -> None:
    """Make sure that the kernel can have the size that the recipe asks for.

    Parameters
    ----------
    recipe : Recipe
        `forward.size` is taken as it is, or not at all.
    largest : sequence of int
        Voxels that the images leave, one number a spatial axis.

    Raises
    ------
    RecipeError
        If it has another number of axes, is larger than the images or the patches
        leave, or is even where a kernel is centred by construction.
    """
    size = recipe.forward.size
    if recipe.forward.kind != "kernel" or size is None:
        return
    if len(size) != recipe.dims:
        raise RecipeError(
            f"forward.size is {list(size)}: expected {recipe.dims} numbers of voxels, "
            f"one for each axis of an image"
        )
    most = largest
    if not recipe.generator.guide:
        # Some voxels of a patch must have all that is blurred into them within it.
        most = [min(n, p - 1) for n, p in zip(largest, recipe.patch, strict=True)]
    if any(n > m for n, m in zip(size, most, strict=True)):
        raise RecipeError(
            f"forward.size is {list(size)}, but images and patches leave "
            f"{list(most)} voxels at the most: lower it or raise sampling.patch"
        )
    settings = recipe.forward
    centred = settings.learned and settings.parametrisation != "free"
    if centred and settings.start != "random" and any(n % 2 == 0 for n in size):
        raise RecipeError(
            f"forward.size is {list(size)}, but a {settings.parametrisation} kernel "
            f"is centred on a voxel: take odd sizes, or forward.parametrisation=free"
        )


def support(recipe: Recipe, start: Start) -> tuple[int, int, int]:
    """Return the (z, y, x) support of the kernel in voxels, as asked for or odd.

    Where nothing is asked for it is large enough for the core of the PSF, and for the
    cone of light round it where the kernel is not learned; without an estimate, small
    enough that the blur of half a patch has its whole neighbourhood known.
    """
    if recipe.forward.size is not None:
        z, y, x = (1,) * (3 - recipe.dims) + recipe.forward.size
        return z, y, x
    learned = recipe.forward.learned and not start.held
    if start.optics is not None and learned:
        size: Sequence[int] = support_shape(start.optics, start.voxel_size)
    elif start.optics is not None and start.psf is None:
        size = _with_haze(start, start.optics, recipe.patch)
    elif start.psf is not None:
        size = start.psf.resampled(start.voxel_size).cropped(energy=MOST_LIGHT).shape
    else:
        size = (FALLBACK,) * 3
    pairs = zip(size[-recipe.dims :], start.largest, strict=True)
    odd = [_odd(min(n, most)) for n, most in pairs]
    if not recipe.generator.guide:
        odd = [min(n, _odd(p / 2)) for n, p in zip(odd, recipe.patch, strict=True)]
    z, y, x = [1] * (3 - recipe.dims) + odd
    return z, y, x


def _with_haze(start: Start, optics: Optics, patch: Sequence[int]) -> tuple[int, ...]:
    """Return a support that holds nearly all the light, at most two patches wide."""
    core = support_shape(optics, start.voxel_size)
    if len(patch) < 3:
        return core
    light = _whole(start, optics).cropped(energy=MOST_LIGHT).shape
    sizes = zip(core, light, patch, strict=True)
    return tuple(max(least, min(n, 2 * p)) for least, n, p in sizes)


def share_of_light(start: Start, shape: Sequence[int]) -> float | None:
    """Return how much a kernel of `shape` holds of the light that optics predict.

    All is what falls into the depth of the images: the cone of light of a widefield
    microscope has no end. None where there are no optics, or planes only.
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
    """Remember the last one: notes and kernel both ask, and it takes a second."""
    shape = psf_shape_for(optics, images, voxel_size, depths=0.5)
    return theoretical_psf(optics, shape, voxel_size)


def _odd(size: float) -> int:
    return max(1, 2 * ((int(size) - 1) // 2) + 1)


def make_blur(recipe: Recipe, start: Start, gain: float) -> BlurKernel:
    """Return the forward model to train with.

    Parameters
    ----------
    recipe : Recipe
        Says whether and how the kernel is learned.
    start : Start
        What is known of it.
    gain : float
        Mean of y over mean of x.

    Raises
    ------
    RecipeError
        If the kernel is to be fixed and nothing says what it is.
    """
    shape = support(recipe, start)
    return BlurKernel(_kernel(recipe, start, shape), gain, recipe.dims)


def _kernel(recipe: Recipe, start: Start, shape: tuple[int, int, int]) -> Kernel:
    settings = recipe.forward
    if settings.start == "random":
        return FreeKernel(random_kernel(shape, recipe.seed))
    if settings.learned and settings.parametrisation == "pupil" and start.optics:
        return _pupil(start, start.optics, shape, settings.aberrations)
    values = _values(recipe, start, shape)
    if not settings.learned:
        return FixedKernel(values)
    if settings.parametrisation == "free":
        return FreeKernel(values)
    # A PSF without optics has no pupil to start from: each voxel on its own then.
    return SoftmaxKernel(values)


def _values(
    recipe: Recipe, start: Start, shape: tuple[int, int, int]
) -> NDArray[np.float32]:
    if recipe.forward.start == "gaussian":
        return gaussian_kernel(shape, (5.0, 3.0, 3.0))
    psf = start.psf
    if psf is None and start.optics is not None:
        psf = theoretical_psf(start.optics, shape, start.voxel_size)
    if psf is None:
        raise RecipeError(
            f"the recipe {recipe.name!r} needs a known blur: give a PSF file, or the "
            f"optics (NA, refractive index, wavelength)"
        )
    return kernel_of(psf.resampled(start.voxel_size), shape)


def kernel_of(psf: Psf, shape: Sequence[int]) -> NDArray[np.float32]:
    """Return the core of a PSF, centred, as a kernel of just this (z, y, x) shape.

    It is put in order and freed of the camera's offset first, where it needs that.
    """
    return psf.in_order().without_offset().centred().cropped(shape).padded(shape).data


def _pupil(
    start: Start,
    optics: Optics,
    shape: tuple[int, int, int],
    aberrations: Sequence[str],
) -> PupilKernel:
    return PupilKernel(
        shape,
        start.voxel_size,
        na=optics.na,
        ni=optics.ni,
        wavelength=optics.wavelength,
        aberrations=aberrations,
        model=start.model,
    )
