"""Point-spread functions on voxels, one function a model."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.models.diffraction import (
    Intensity,
    born_wolf_intensity,
    gaussian_intensity,
    gibson_lanni_intensity,
    vectorial_intensity,
)
from napari_blurgan.optics.models.modality import best_focus, detected, radial_grid
from napari_blurgan.optics.models.parameters import Optics, OpticsWarning
from napari_blurgan.optics.models.voxels import fill_voxels
from napari_blurgan.optics.psf import (
    MOST_VOXELS,
    Psf,
    checked_shape,
    checked_voxel_size,
)

__all__ = [
    "MODELS",
    "born_wolf",
    "gaussian",
    "gibson_lanni",
    "theoretical_psf",
    "vectorial",
]

COARSEST = 200
"""Of a voxel, in the distances of Nyquist's sampling; a PSF is within one of them."""
HIGH_APERTURE = 0.8  # NA / n above which the paraxial model is a poor description


def gaussian(optics: Optics, shape: Sequence[int], voxel_size: Sequence[float]) -> Psf:
    """Return a Gaussian PSF, the roughest model and the quickest to reason about.

    Full widths at half maximum: 0.51 λ / NA across and 0.886 λ / (n − √(n² − NA²))
    along the axis, those of the scalar PSF (a focal disc and a sinc²). It has neither
    rings nor cones, and no depth. Parameters as in `theoretical_psf`.
    """
    _warn_depth_ignored("Gaussian", optics)
    return _build("gaussian", gaussian_intensity, optics, 0.0, shape, voxel_size)


def born_wolf(optics: Optics, shape: Sequence[int], voxel_size: Sequence[float]) -> Psf:
    r"""Return the scalar, paraxial PSF of Born and Wolf.

    .. math:: h = \left| \int_0^1 J_0(k\,\mathrm{NA}\,\rho\,r)\,
              e^{-\frac{i}{2} k \rho^2 z\,\mathrm{NA}^2/n}\,\rho\,d\rho \right|^2,
              \quad k = 2\pi/\lambda

    (Born and Wolf, Principles of Optics, §8.8). The paper of the blind
    optimal-transport cycleGAN (Lim et al. 2020) prints NA / n inside J₀ with the same
    k, that is, without n in k; taken to the letter its PSF is n times too wide. This
    is the usual form. Parameters as in `theoretical_psf`.

    Warns
    -----
    OpticsWarning
        Above NA / n = 0.8: at NA 1.4 in oil its PSF is 40 % too long.
    """
    if optics.na / optics.ni > HIGH_APERTURE:
        warnings.warn(
            f"Born–Wolf is a model for small apertures; at NA / n = "
            f"{optics.na / optics.ni:.2f} its PSF is too long along z. Use the "
            f"vectorial or the Gibson–Lanni model",
            OpticsWarning,
            stacklevel=2,
        )
    _warn_depth_ignored("Born–Wolf", optics)
    return _build("born-wolf", born_wolf_intensity, optics, 0.0, shape, voxel_size)


def gibson_lanni(
    optics: Optics, shape: Sequence[int], voxel_size: Sequence[float]
) -> Psf:
    """Return the scalar PSF of a point at a depth, behind coverslip and immersion.

    Gibson and Lanni, J. Opt. Soc. Am. A 8, 1601 (1991). Without mismatch it is the
    scalar PSF with exact (not paraxial) defocus. Light that the sample totally
    reflects decays with depth. z is the travel of the objective, growing into the
    sample, and the brightest point stands at the centre; ``provenance["focus"]``
    keeps its travel from the coverslip. Parameters as in `theoretical_psf`.
    """
    focus = best_focus(gibson_lanni_intensity, optics)
    return _build(
        "gibson-lanni", gibson_lanni_intensity, optics, focus, shape, voxel_size
    )


def vectorial(optics: Optics, shape: Sequence[int], voxel_size: Sequence[float]) -> Psf:
    """Return the vectorial PSF of freely turning dipoles.

    Richards and Wolf, Proc. R. Soc. A 253, 358 (1959), read backwards by reciprocity:
    the mean over dipole orientations is |I₀|² + 2|I₁|² + |I₂|² with the aplanatic
    factor √cos θ. Behind layers it takes Gibson and Lanni's path and Fresnel's
    transmissions (Török and Varga 1997; Haeberlé 2003). z and focus as in
    `gibson_lanni`, parameters as in `theoretical_psf`.
    """
    focus = best_focus(vectorial_intensity, optics)
    return _build("vectorial", vectorial_intensity, optics, focus, shape, voxel_size)


Model = Callable[[Optics, Sequence[int], Sequence[float]], Psf]
MODELS: dict[str, Model] = {
    "gaussian": gaussian,
    "born-wolf": born_wolf,
    "gibson-lanni": gibson_lanni,
    "vectorial": vectorial,
}


def theoretical_psf(
    optics: Optics,
    shape: Sequence[int],
    voxel_size: Sequence[float],
    model: str = "auto",
) -> Psf:
    """Return the PSF of a microscope.

    Parameters
    ----------
    optics : Optics
        The microscope; its modality holds for every model.
    shape : sequence of int
        (z, y, x) of the array.
    voxel_size : sequence of float
        (z, y, x) in micrometres. Along an axis whose voxels are larger than half of
        Nyquist's (`Optics.nyquist`) the PSF is integrated over them; smaller ones are
        sampled at their centres.
    model : str
        One of `MODELS`, or ``"auto"``: vectorial, which holds for every aperture.

    Raises
    ------
    OpticsError
        If there is no such model, or shape or voxel size are none.
    """
    name = "vectorial" if model == "auto" else model
    if name not in MODELS:
        raise OpticsError(f"no PSF model {model!r}; there are {', '.join(MODELS)}")
    return MODELS[name](optics, shape, voxel_size)


def _build(
    name: str,
    intensity: Intensity,
    optics: Optics,
    focus: float,
    shape: Sequence[int],
    voxel_size: Sequence[float],
) -> Psf:
    sizes, size = checked_shape(shape), checked_voxel_size(voxel_size)
    _check_extent(optics, sizes, size)
    corner = math.hypot(
        *((n / 2 + 1) * v for n, v in zip(sizes[1:], size[1:], strict=True))
    )
    radii = radial_grid(optics, corner)
    axial, lateral = optics.nyquist
    values = fill_voxels(
        lambda z, r: detected(intensity, optics, focus, z, r),
        radii,
        sizes,
        size,
        (axial / 2, lateral / 2),
    )
    data = values.astype(np.float32)
    return Psf(data, size, {"model": name, "focus": focus, "optics": asdict(optics)})


def _check_extent(
    optics: Optics, sizes: Sequence[int], voxel_size: Sequence[float]
) -> None:
    """Refuse what would take more memory or time than any PSF is worth."""
    if math.prod(sizes) > MOST_VOXELS:
        raise OpticsError(
            f"a PSF of {' × '.join(map(str, sizes))} voxels is too large to be "
            f"computed: at most {MOST_VOXELS / 1e6:.0f} million in all"
        )
    axial, lateral = optics.nyquist
    for axis, length, finest in zip(
        "zyx", voxel_size, (axial, lateral, lateral), strict=True
    ):
        if length > COARSEST * finest:
            raise OpticsError(
                f"voxels {length:g} µm long in {axis} are too coarse for a PSF: at "
                f"most {COARSEST * finest:.3g} µm"
            )


def _warn_depth_ignored(name: str, optics: Optics) -> None:
    if optics.depth > 0 and optics.sample_index != optics.ni:
        warnings.warn(
            f"the {name} model knows no depth: the aberration {optics.depth:g} µm deep "
            f"in n = {optics.sample_index} is left out. Use vectorial or Gibson–Lanni",
            OpticsWarning,
            stacklevel=3,
        )
