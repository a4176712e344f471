"""A blur kernel as forward model: given, computed, identified or random."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.axes import known
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import OpticsError, RecipeError
from napari_blurgan.estimates.blocks import BLOCK, block_shape
from napari_blurgan.forward.identification import LOSS_PATCH, identified
from napari_blurgan.forward.physics import Physics
from napari_blurgan.forward.start import (
    Start,
    kernel_of,
    known_or_unit,
    share_of_light,
    support,
)
from napari_blurgan.forward.thickness import thickened
from napari_blurgan.heldout.reach import best_reach
from napari_blurgan.heldout.regions import region_of
from napari_blurgan.inverse.psf_fit import usable
from napari_blurgan.methods.forwards import KernelForward
from napari_blurgan.methods.recipe import Recipe
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
from napari_blurgan.optics.pupil import PupilKernel
from napari_blurgan.preparation.notes import Note
from napari_blurgan.preparation.site import Site

__all__ = ["kernel_physics", "make_blur", "support_of"]

ENOUGH = 0.5
"""Share of the light of a PSF below which a truncated kernel is reported."""

HELD = {"forward.learned": False, "terms.spectral": 0.0, "terms.kernel_l1": 0.0}
"""Changes of a recipe whose kernel cannot be estimated from the images."""


def kernel_physics(
    settings: KernelForward, site: Site
) -> Iterator[BlurKernel | Physics]:
    """Find the blur that is known, or can be identified, and notes on it.

    Yields
    ------
    BlurKernel or Physics
        The blur as known at first: as given, or as the spectra show it; at last, the
        result.
    """
    recipe = site.recipe
    start, found = _start_of(settings, site)
    notes = [] if start.sized else [Note.no_voxel_size(site.y[0].name)]
    notes += map(Note.psf_mended, found)
    if recipe.dims == 3 and start.psf is not None and start.psf.shape[0] == 1:
        notes.append(Note.plane_psf())
    asked = settings.learned and settings.start in ("auto", "spectral")
    early = not asked or start.psf is not None or start.optics is not None
    if early:
        yield make_blur(settings, recipe, start, site.calibration.gain)
    if asked:
        start, more = identified(start, site.y, site.x, recipe.dims, settings.size)
        notes += more
    if not early:
        yield make_blur(settings, recipe, start, site.calibration.gain)
    start, thickness = thickened(settings, start, site)
    if thickness:
        recipe = recipe.updated({"forward.thickness": thickness})
        notes.append(Note.thick_sample(thickness))
    notes += _truncation(settings, recipe, start)
    if start.held:
        recipe = recipe.updated(HELD)
        settings = settings.model_copy(update={"learned": False})
    blur = make_blur(settings, recipe, start, site.calibration.gain)
    if start.sized and settings.learned and settings.size is None:
        reach = _reach(blur, start, site)
        settings = settings.model_copy(update={"size": reach})
        recipe = recipe.updated({"forward.size": reach})
        blur = make_blur(settings, recipe, start, site.calibration.gain)
    yield Physics(blur, recipe, notes, thickness)


def _reach(blur: BlurKernel, start: Start, site: Site) -> tuple[int, ...] | None:
    """Return the support that explains the images best; None if it is not searched.

    The search needs estimates, and the optics for the smallest support.
    """
    if start.optics is None or blur.dims < 3 or site.recipe.reconstructor.settled:
        return None
    core = support_shape(start.optics, start.voxel_size)
    return best_reach(region_of(site), blur, site.calibration.noise, core)


def _start_of(settings: KernelForward, site: Site) -> tuple[Start, Sequence[str]]:
    """Return what is known, and notes on corrections."""
    if site.known.optics is not None and site.known.psf is None:
        _check_voxel_size(site)
    dims = site.recipe.dims
    size = known_or_unit(site.voxel_size, dims)
    largest = _largest_kernel(site.recipe, [*site.y, *site.x])
    _check_size(settings, site.recipe, largest)
    psf, found = (None, ()) if site.known.psf is None else usable(site.known.psf)
    sized = known(site.voxel_size, dims) is not None
    return Start(psf, site.known.optics, size, largest, sized=sized), found


def _check_voxel_size(site: Site) -> None:
    if known(site.voxel_size, site.recipe.dims) is None:
        raise OpticsError(
            f"{site.y[0].name}: the PSF cannot be computed from optics without the "
            f"voxel size: give it (--voxel, voxel_size=), or a PSF"
        )


def support_of(
    settings: KernelForward, recipe: Recipe, start: Start
) -> tuple[int, int, int]:
    """Return the (z, y, x) support of the kernel, as requested or odd."""
    if settings.size is not None:
        z, y, x = (1,) * (3 - recipe.dims) + settings.size
        return z, y, x
    reconstructor = recipe.reconstructor
    refines = reconstructor.estimate_iterations > 0
    learned = settings.learned and not start.held
    searched = start.sized and not reconstructor.settled
    return support(start, recipe.patch, learned, refines, searched)


def _check_size(
    settings: KernelForward, recipe: Recipe, largest: Sequence[int]
) -> None:
    """Check that the kernel can have the size in the recipe."""
    size = settings.size
    if size is None:
        return
    if len(size) != recipe.dims:
        raise RecipeError(
            f"forward.size is {list(size)}: expected {recipe.dims} numbers of voxels, "
            f"one for each axis of an image"
        )
    most = largest
    if not recipe.reconstructor.estimate_iterations:
        # For some voxels of a patch, all light blurred into them must come from within.
        most = [min(n, p - 1) for n, p in zip(largest, recipe.patch, strict=True)]
    if any(n > m for n, m in zip(size, most, strict=True)):
        raise RecipeError(
            f"forward.size is {list(size)}, but images and patches leave "
            f"{list(most)} voxels at most: lower it or raise sampling.patch"
        )
    centred = settings.learned and settings.parametrisation != "free"
    if centred and settings.start != "random" and any(n % 2 == 0 for n in size):
        raise RecipeError(
            f"forward.size is {list(size)}, but a {settings.parametrisation} kernel "
            f"is centred on a voxel: take odd sizes, or forward.parametrisation=free"
        )


def _truncation(settings: KernelForward, recipe: Recipe, start: Start) -> list[Note]:
    """Return a note if the kernel is much smaller than the PSF by default."""
    if settings.size is not None or not start.sized:
        return []
    shape = support_of(settings, recipe, start)
    share = share_of_light(start, shape)
    return [] if share is None or share > ENOUGH else [Note.truncated(shape, share)]


def _largest_kernel(recipe: Recipe, stacks: Sequence[Stack]) -> tuple[int, ...]:
    """Return how large a kernel may be for the images and for the spectral term."""
    shapes = [stack.spatial_shape[-recipe.dims :] for stack in stacks]
    shapes.append(BLOCK[recipe.dims])
    if "spectral" in recipe.active_terms:
        shapes.append(LOSS_PATCH[-recipe.dims :])
        shapes += [block_shape(stack, recipe.dims) for stack in stacks]
    return tuple(map(min, zip(*shapes, strict=True)))


def make_blur(
    settings: KernelForward, recipe: Recipe, start: Start, gain: float
) -> BlurKernel:
    """Return the forward model to train with.

    Parameters
    ----------
    settings : KernelForward
        Says whether and how the kernel is learned.
    recipe : Recipe
        What it is for.
    start : Start
        What is known of it.
    gain : float
        Mean of y over mean of x.

    Raises
    ------
    RecipeError
        If the kernel is to be fixed and nothing says what it is.
    """
    shape = support_of(settings, recipe, start)
    return BlurKernel(_kernel(settings, recipe, start, shape), gain, recipe.dims)


def _kernel(
    settings: KernelForward, recipe: Recipe, start: Start, shape: tuple[int, int, int]
) -> Kernel:
    if settings.start == "random":
        return FreeKernel(random_kernel(shape, recipe.seed))
    if settings.learned and settings.parametrisation == "pupil" and start.optics:
        return _pupil(start, start.optics, shape, settings.aberrations)
    values = _values(settings, recipe, start, shape)
    if not settings.learned:
        return FixedKernel(values)
    if settings.parametrisation == "free":
        return FreeKernel(values)
    # A PSF without optics has no pupil to start from: use independent voxels then.
    return SoftmaxKernel(values)


def _values(
    settings: KernelForward, recipe: Recipe, start: Start, shape: tuple[int, int, int]
) -> NDArray[np.float32]:
    if settings.start == "gaussian":
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
