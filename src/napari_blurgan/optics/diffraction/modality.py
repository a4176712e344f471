"""From diffraction at one wavelength to detection in a type of microscope."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize_scalar

from napari_blurgan.optics.diffraction.integrals import Intensity, focal_range
from napari_blurgan.optics.diffraction.parameters import Optics

__all__ = ["best_focus", "detected", "radial_grid"]

Array = NDArray[np.float64]


def detected(
    intensity: Intensity, optics: Optics, focus: float, z: Array, r: Array
) -> Array:
    """Return the detected intensity of a point over (z, r), unscaled.

    Parameters
    ----------
    intensity : callable
        A model of `napari_blurgan.optics.diffraction.integrals`.
    optics : Optics
        Widefield: the emission. Confocal: excitation × (emission ∗ pinhole). Light
        sheet: the emission × a Gaussian sheet on the focus.
    focus : float
        The travel of the objective (µm) that z = 0 means.
    z, r : ndarray
        In µm; r evenly spaced from 0.
    """
    emission, travel = 1e-3 * optics.wavelength, z + focus
    if optics.modality == "confocal":
        light = intensity(optics, _excitation(optics), travel, r)
        return light * _behind_pinhole(intensity, optics, travel, r)
    table = intensity(optics, emission, travel, r)
    if optics.modality == "lightsheet":
        sheet = np.exp(-4 * math.log(2) * (z / (optics.sheet_thickness or 0)) ** 2)
        return table * sheet[:, None]
    return table


def best_focus(intensity: Intensity, optics: Optics) -> float:
    """Return the travel (µm) of the objective at which a point is brightest."""
    first, last = focal_range(optics)
    if last - first < 1e-9:
        return first

    def on_axis(travel: Array) -> Array:
        """Return the brightness of a point on the axis at each travel."""
        light = intensity(optics, 1e-3 * optics.wavelength, travel, np.zeros(1))
        if optics.modality == "confocal":
            light *= intensity(optics, _excitation(optics), travel, np.zeros(1))
        return light[:, 0]

    step = optics.axial_period / 20
    travels = np.arange(first - 20 * step, last + 20 * step, step)
    top = travels[int(on_axis(travels).argmax())]
    found = minimize_scalar(
        lambda t: -on_axis(np.array([t])).item(),
        bounds=(top - step, top + step),
        method="bounded",
        options={"xatol": 1e-5},
    )
    return float(found.x)


def radial_grid(optics: Optics, radius: float) -> Array:
    """Return radii from 0 to `radius` (µm), fine enough for a cubic spline."""
    shortest = 1e-3 * min(optics.wavelength, optics.excitation or optics.wavelength)
    step = shortest / (40 * optics.na)
    return np.arange(math.ceil(radius / step) + 4, dtype=np.float64) * step


def _excitation(optics: Optics) -> float:
    return 1e-3 * (optics.excitation or optics.wavelength)


def _behind_pinhole(
    intensity: Intensity, optics: Optics, travel: Array, r: Array
) -> Array:
    """Return the emission averaged over the pinhole, a disc in the sample."""
    radius = optics.pinhole * optics.airy_radius
    wide = radial_grid(optics, r[-1] + radius)
    emission = intensity(optics, 1e-3 * optics.wavelength, travel, wide)
    spline = CubicSpline(wide, emission, axis=1)
    # Gauss–Legendre in the disc's radius, evenly spaced in its angle.
    x, w = np.polynomial.legendre.leggauss(8 + math.ceil(8 * optics.pinhole))
    cosines = np.cos((np.arange(2 * len(x)) + 0.5) * np.pi / (2 * len(x)))
    total = np.zeros((len(travel), len(r)))
    for s, weight in zip((x + 1) * radius / 2, w, strict=True):
        away = np.sqrt(
            np.maximum(r[:, None] ** 2 + s**2 + 2 * s * r[:, None] * cosines, 0)
        )
        total += weight * s * spline(away).mean(axis=2)
    return total
