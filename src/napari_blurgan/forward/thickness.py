"""The blur of one plane of a thick sample: the PSF, summed over the thickness."""

from __future__ import annotations

from dataclasses import replace

from napari_blurgan.errors import RecipeError
from napari_blurgan.forward.start import Start, kernel_of, support
from napari_blurgan.heldout.regions import region_of
from napari_blurgan.heldout.thickness import best_thickness
from napari_blurgan.inverse.psf_fit import psf_shape_for
from napari_blurgan.methods.forwards import KernelForward
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.optics.models import theoretical_psf
from napari_blurgan.optics.psf import Psf
from napari_blurgan.preparation.site import Site

__all__ = ["thickened"]

STEP = 0.25
"""Distance of the planes that are summed, in axial periods of the PSF."""

AWAY = (0, 2, 3, 4, 6, 8, 12)
"""Planes on either side of the focus that are tried. One alone widens the PSF so little
that in dim light it predicts as well for thin samples, too."""


def thickened(
    settings: KernelForward, start: Start, site: Site
) -> tuple[Start, float | None]:
    """Return what is known of the blur of a plane, and the estimated thickness.

    Parameters
    ----------
    settings : KernelForward
        Says how thick the sample is, or that it shall be estimated.
    start : Start
        Optics, or a PSF of several planes.
    site : Site
        With the images, and the thickness if it has been estimated before.

    Returns
    -------
    start : Start
        With the PSF summed over the thickness.
    thickness : float or None
        In micrometres, zero for the PSF in focus; None if it is not estimated.

    Raises
    ------
    RecipeError
        If a thickness is given for volumes, or the PSF in focus is all that is known.
    """
    asked = settings.thickness
    estimate = asked == "auto"
    planes = site.recipe.dims == 2 and site.recipe.sampling.views == ("xy",)
    if not asked or (estimate and not (planes and _is_deep(start))):
        return start, None
    if not planes or not _is_deep(start):
        raise RecipeError(
            "forward.thickness is that of the sample around a single plane: it needs "
            "plane images (dims=2), and optics or a PSF of several planes"
        )
    found = site.calibration.thickness
    if asked != "auto":
        found = asked
    elif found is None:
        found = _estimated(start, site)
    thick = _blur_of(start, found) if found else start.psf
    return replace(start, psf=thick), found if estimate else None


def _is_deep(start: Start) -> bool:
    """Whether the light out of focus is known."""
    if start.psf is not None:
        return start.psf.shape[0] > 1
    return start.optics is not None


def _deep(start: Start, thickness: float = 0.0) -> Psf:
    """Return a PSF of several planes, at least as deep as a thickness needs."""
    if start.psf is not None or start.optics is None:
        assert start.psf is not None  # see `_is_deep`
        return start.psf
    step = STEP * start.optics.axial_period
    away = max(*AWAY, int(thickness / 2 / step) + 1)
    voxel = (step, *start.voxel_size[1:])
    slab = (2 * away + 1, *start.largest)
    z, y, x = psf_shape_for(start.optics, slab, voxel, depths=0.5)
    return theoretical_psf(start.optics, (max(z, 2 * away + 1), y, x), voxel)


def _blur_of(start: Start, thickness: float) -> Psf:
    return _deep(start, thickness).projected(thickness)


def _estimated(start: Start, site: Site) -> float:
    """Return the thickness that explains the first image best."""
    deep = _deep(start)
    step, middle = deep.voxel_size[0], deep.shape[0] // 2
    apart = STEP * start.optics.axial_period if start.optics else step
    each = max(1, round(apart / step))
    tried = [2 * step * each * away for away in AWAY if each * away <= middle]
    blurs = {t: _kernel(start, deep.projected(t), site) for t in tried}
    return best_thickness(region_of(site), blurs, site.calibration.noise)


def _kernel(start: Start, psf: Psf, site: Site) -> BlurKernel:
    known = replace(start, psf=psf)
    shape = support(known, site.recipe.patch, learned=False, refines=True)
    values = kernel_of(psf.resampled(start.voxel_size), shape)
    return BlurKernel(FixedKernel(values), dims=2)
