"""Diffraction integrals over the pupil: intensity as a function of z and r.

All models here are rotationally symmetric, so a table over (z, r) is sufficient. Each
integral ∫ A(ρ) exp(i k W(ρ, z)) J_m(k NA ρ r) ρ dρ is computed by Gauss–Legendre
quadrature as one matrix product (numpy, float64); the number of nodes depends on the
largest phase.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray
from scipy import special

from napari_blurgan.interruption import heed_stop
from napari_blurgan.optics.diffraction.parameters import Optics

__all__ = [
    "Intensity",
    "born_wolf_intensity",
    "focal_range",
    "gaussian_intensity",
    "gibson_lanni_intensity",
    "vectorial_intensity",
]

Array = NDArray[np.float64]
# (optics, wavelength in µm, z in µm, r in µm) -> intensity over (z, r).
Intensity = Callable[[Optics, float, Array, Array], Array]


def gaussian_intensity(optics: Optics, wavelength: float, z: Array, r: Array) -> Array:
    """Return a Gaussian with the widths of the scalar PSF."""
    lateral = 0.51 * wavelength / optics.na
    axial = 0.886 * wavelength / (optics.ni - np.sqrt(optics.ni**2 - optics.na**2))
    exponent = (z[:, None] / axial) ** 2 + (r / lateral) ** 2
    return np.exp(-4 * np.log(2) * exponent)


def born_wolf_intensity(optics: Optics, wavelength: float, z: Array, r: Array) -> Array:
    """Return the scalar, paraxial intensity of Born and Wolf."""
    bend = 0.5 * optics.na**2 / optics.ni
    rho, weights = _pupil_nodes(wavelength, abs(z).max() * bend, optics.na * r[-1])
    path = -bend * np.outer(z, rho**2)
    return _squared(
        _integral(0, path, weights, wavelength, optics.na * np.outer(rho, r))
    )


def gibson_lanni_intensity(
    optics: Optics, wavelength: float, z: Array, r: Array
) -> Array:
    """Return the scalar intensity behind layers; z is the travel of the objective."""
    rho, weights, path = _layered_pupil(optics, wavelength, z, r)
    return _squared(
        _integral(0, path, weights, wavelength, optics.na * np.outer(rho, r))
    )


def vectorial_intensity(optics: Optics, wavelength: float, z: Array, r: Array) -> Array:
    """Return |I₀|² + 2|I₁|² + |I₂|²: the mean over the orientations of the dipole."""
    rho, weights, path = _layered_pupil(optics, wavelength, z, r)
    x = optics.na * np.outer(rho, r)
    weights = weights / np.sqrt(_cosine(optics.na * rho, optics.ni))
    i0, i1, i2 = (
        _squared(_integral(order, path, weights * amplitude, wavelength, x))
        for order, amplitude in enumerate(_dipole_amplitudes(optics, optics.na * rho))
    )
    return i0 + 2 * i1 + i2


def focal_range(optics: Optics) -> tuple[float, float]:
    """Return the first and last travel (µm) at which some ray of the pupil focuses.

    A ray is in focus where its path is stationary with respect to its angle; without
    aberration all agree. Rays beyond the critical angle are left out.
    """
    q = np.linspace(0, min(optics.na, 0.98 * optics.sample_index), 200)
    cos = np.sqrt(optics.ni**2 - q**2)
    spread = sum(t / np.sqrt(n**2 - q**2) for n, t in _layers(optics))
    travel = cos * spread
    return float(travel.min()), float(travel.max())


def _layers(optics: Optics) -> list[tuple[float, float]]:
    """Return (index, thickness) of all layers at no travel; design values negative.

    Gibson and Lanni's optical path is the sum of n t cos θ over them.
    """
    ng0, ni0 = optics.ng0 or optics.ng, optics.ni0 or optics.ni
    tg0 = optics.tg if optics.tg0 is None else optics.tg0
    return [
        (optics.sample_index, optics.depth),
        (optics.ng, optics.tg),
        (ng0, -tg0),
        (optics.ni, optics.ti0),
        (ni0, -optics.ti0),
    ]


def _layered_path(optics: Optics, z: Array, rho: Array) -> NDArray[np.complex128]:
    """Return the optical path over (z, ρ) in µm, after Gibson and Lanni.

    The objective is `z` closer to the sample than when focused on the coverslip. Beyond
    the critical angle the path is imaginary: the wave decays.
    """
    q = optics.na * rho
    fixed = sum(n * t * _cosine(q, n) for n, t in _layers(optics) if t)
    return fixed - np.outer(z, optics.ni * _cosine(q, optics.ni))


def _layered_pupil(
    optics: Optics, wavelength: float, z: Array, r: Array
) -> tuple[Array, Array, NDArray[np.complex128]]:
    """Return the nodes, their weights ρ dρ, and the path over (z, ρ)."""
    ends = np.array([z.min(), z.max()])
    bends = abs(np.diff(_layered_path(optics, ends, np.linspace(0, 1, 200)).real))
    reflected = optics.sample_index / optics.na
    rho, weights = _pupil_nodes(
        wavelength, bends.sum(axis=1).max(), optics.na * r[-1], kink=reflected
    )
    return rho, weights, _layered_path(optics, z, rho)


def _pupil_nodes(
    wavelength: float, path: float, radial: float, kink: float = 1.0
) -> tuple[Array, Array]:
    """Return nodes and weights of ∫ f(ρ) ρ dρ from 0 to 1.

    Parameters
    ----------
    wavelength, path, radial : float
        How much the path, and the argument of the Bessel function over k, change over
        the pupil; all in µm. n nodes integrate a phase of 2 n exactly enough.
    kink : float
        Where f bends, if inside the pupil; each side gets nodes of its own.
    """
    phase = _wavenumber(wavelength) * (path + radial)
    x, w = leggauss(40 + int(np.ceil(phase / 2)))
    edges = [0.0, kink, 1.0] if kink < 1 else [0.0, 1.0]
    rho = np.concatenate([a + (b - a) * (x + 1) / 2 for a, b in pairwise(edges)])
    weights = np.concatenate([(b - a) * w / 2 for a, b in pairwise(edges)])
    return rho, weights * rho


def _integral(
    order: int,
    path: NDArray[Any],
    weights: NDArray[Any],
    wavelength: float,
    x: Array,
) -> NDArray[np.complex128]:
    """Return the field over (z, r), from the path over (z, ρ) and NA ρ r = x(ρ, r)."""
    heed_stop()
    k = _wavenumber(wavelength)
    waves = np.exp(1j * k * path)
    return waves @ (weights[:, None] * special.jv(order, k * x))


def _dipole_amplitudes(optics: Optics, q: Array) -> tuple[NDArray[np.complex128], ...]:
    """Return the amplitudes for J₀, J₁ and J₂, behind two Fresnel interfaces."""
    n = (optics.ni, optics.ng, optics.sample_index)
    cos = [_cosine(q, index) for index in n]
    s = p = np.ones_like(cos[0])
    for a, b in ((0, 1), (1, 2)):
        s = s * 2 * n[a] * cos[a] / (n[a] * cos[a] + n[b] * cos[b])
        p = p * 2 * n[a] * cos[a] / (n[b] * cos[a] + n[a] * cos[b])
    return s + p * cos[2], p * q / n[2], s - p * cos[2]


def _cosine(q: Array, index: float) -> NDArray[np.complex128]:
    """Return cos θ where n sin θ = q; imaginary beyond the critical angle."""
    return np.sqrt(1 - (q / index) ** 2 + 0j)


def _squared(field: NDArray[np.complex128]) -> Array:
    return field.real**2 + field.imag**2


def _wavenumber(wavelength: float) -> float:
    return 2 * np.pi / wavelength
