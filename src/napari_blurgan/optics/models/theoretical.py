"""Point-spread functions on voxels, one function per model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from napari_blurgan.optics.diffraction.parameters import Optics
from napari_blurgan.optics.diffraction.volumes import computed
from napari_blurgan.optics.psf import Psf

__all__ = [
    "MODELS",
    "born_wolf",
    "gaussian",
    "gibson_lanni",
    "theoretical_psf",
    "vectorial",
]


def gaussian(optics: Optics, shape: Sequence[int], voxel_size: Sequence[float]) -> Psf:
    """Return a Gaussian PSF, the coarsest and simplest model.

    Full widths at half maximum: 0.51 λ / NA laterally and 0.886 λ / (n − √(n² − NA²))
    axially, those of the scalar PSF (a focal disc and a sinc²). It has neither rings
    nor cones, and no depth. Parameters as in `theoretical_psf`.
    """
    return theoretical_psf(optics, shape, voxel_size, "gaussian")


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
    return theoretical_psf(optics, shape, voxel_size, "born-wolf")


def gibson_lanni(
    optics: Optics, shape: Sequence[int], voxel_size: Sequence[float]
) -> Psf:
    """Return the scalar PSF of a point at a depth, behind coverslip and immersion.

    Gibson and Lanni, J. Opt. Soc. Am. A 8, 1601 (1991). Without mismatch it is the
    scalar PSF with exact (not paraxial) defocus. Beyond the critical angle light decays
    with depth. z is the travel of the objective, increasing into the sample, and the
    brightest point is at the centre; ``provenance["focus"]`` records its distance from
    the coverslip. Parameters as in `theoretical_psf`.
    """
    return theoretical_psf(optics, shape, voxel_size, "gibson-lanni")


def vectorial(optics: Optics, shape: Sequence[int], voxel_size: Sequence[float]) -> Psf:
    """Return the vectorial PSF of freely rotating dipoles.

    Richards and Wolf, Proc. R. Soc. A 253, 358 (1959), used in reverse by reciprocity:
    the mean over dipole orientations is |I₀|² + 2|I₁|² + |I₂|² with the aplanatic
    factor √cos θ. Behind layers it uses Gibson and Lanni's path and Fresnel
    transmission (Török and Varga 1997; Haeberlé 2003). z and focus as in
    `gibson_lanni`, parameters as in `theoretical_psf`.
    """
    return theoretical_psf(optics, shape, voxel_size, "vectorial")


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
    return Psf(*computed(optics, shape, voxel_size, model))
