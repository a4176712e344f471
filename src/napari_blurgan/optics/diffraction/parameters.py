"""`Optics`: the few numbers from which a point-spread function is computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Literal, get_args

from napari_blurgan.checks import in_range
from napari_blurgan.errors import OpticsError

__all__ = ["Modality", "Optics", "OpticsWarning", "support_shape"]

Modality = Literal["widefield", "confocal", "lightsheet"]


OPTIONAL = ("excitation", "sheet_thickness", "ns", "ni0", "ng0", "tg0")
SMALLEST = 1e-3
"""Smallest numerical aperture: a thousandth of those of microscopes."""
THICKNESSES = {"depth": 2000, "tg": 1000, "tg0": 1000, "ti0": 50_000}
"""Largest value in µm for which the aberrations can be integrated."""


class OpticsWarning(UserWarning):
    """A model is used outside the range in which it is a good description."""


@dataclass(frozen=True)
class Optics:
    """Objective, light and sample.

    Parameters
    ----------
    na : float
        Numerical aperture; smaller than `ni`.
    ni : float
        Refractive index of the immersion medium.
    wavelength : float
        Of the emitted light, in nanometres (vacuum).
    modality : {"widefield", "confocal", "lightsheet"}
        How the sample is lit and the light detected.
    excitation : float, optional
        Wavelength of the exciting light in nanometres; confocal needs it.
    pinhole : float
        Diameter of the confocal pinhole in Airy units (1.22 × emission wavelength /
        NA, in the sample).
    sheet_thickness : float, optional
        Full width at half maximum of the light sheet in micrometres; light-sheet
        needs it.
    ns : float, optional
        Refractive index of the sample; that of the immersion by default.
    depth : float
        Of the point below the coverslip, in micrometres.
    ng, tg : float
        Refractive index and thickness (µm) of the coverslip in use.
    ni0, ng0, tg0 : float, optional
        What the objective was designed for; by default what is in use, that is, no
        aberration but the sample's.
    ti0 : float
        Thickness of the immersion layer in the design (working distance), in µm.

    Raises
    ------
    OpticsError
        If physics does not allow the numbers, or they are in other units.
    """

    na: float
    ni: float
    wavelength: float
    modality: Modality = "widefield"
    excitation: float | None = None
    pinhole: float = 1.0
    sheet_thickness: float | None = None
    ns: float | None = None
    depth: float = 0.0
    ng: float = 1.515
    tg: float = 170.0
    ni0: float | None = None
    ng0: float | None = None
    tg0: float | None = None
    ti0: float = 150.0

    def __post_init__(self) -> None:
        self._check_numbers()
        self._check_aperture()
        _check_wavelength("emission", self.wavelength)
        self._check_layers()
        self._check_modality()

    def _check_numbers(self) -> None:
        for name, value in vars(self).items():
            unknown = value is None and name in OPTIONAL
            number = isinstance(value, Real) and not isinstance(value, bool)
            if not (name == "modality" or unknown or number):
                raise OpticsError(f"{name} is a number, found {value!r}")

    def _check_aperture(self) -> None:
        for name, index in (("ni", self.ni), ("ns", self.sample_index)):
            if not 1 <= index < 2.5:
                raise OpticsError(
                    f"refractive index {name} = {index} is not between 1 (air) and 2.5"
                )
        if not SMALLEST <= self.na < self.ni:
            raise OpticsError(
                f"the numerical aperture must lie between 0 and the refractive index "
                f"of the immersion: found NA {self.na} with ni {self.ni} (oil is "
                f"1.515, water 1.333, air 1.0)"
            )

    def _check_layers(self) -> None:
        for name, most in THICKNESSES.items():
            value = getattr(self, name)
            if value is not None:
                in_range(name, value, 0, most, unit="µm", error=OpticsError)
        for name in ("ng", "ng0", "ni0"):
            value = getattr(self, name)
            if value is not None and not self.na < value < 2.5:
                raise OpticsError(
                    f"refractive index {name} = {value} is not between NA {self.na} "
                    f"and 2.5"
                )

    def _check_modality(self) -> None:
        if self.excitation is not None:
            _check_wavelength("excitation", self.excitation)
        in_range("pinhole", self.pinhole, 0, 1e3, above=True, error=OpticsError)
        if self.sheet_thickness is not None:
            sheet = "sheet_thickness", self.sheet_thickness
            in_range(*sheet, 0, 1e4, unit="µm", above=True, error=OpticsError)
        known = get_args(Modality)
        if not isinstance(self.modality, str) or self.modality not in known:
            raise OpticsError(f"modality {self.modality!r} is not one of {known}")
        if self.modality == "confocal" and self.excitation is None:
            raise OpticsError("a confocal PSF needs the excitation wavelength (nm)")
        if self.modality == "lightsheet" and self.sheet_thickness is None:
            raise OpticsError(
                "a light-sheet PSF needs sheet_thickness, the full width at half "
                "maximum of the sheet in µm"
            )

    @property
    def sample_index(self) -> float:
        """Refractive index of the sample."""
        return self.ni if self.ns is None else self.ns

    @property
    def airy_radius(self) -> float:
        """First dark ring in focus, 0.61 λ / NA, in µm."""
        return 0.61e-3 * self.wavelength / self.na

    @property
    def axial_period(self) -> float:
        """Distance λ / (n − √(n² − NA²)) from focus to the first zero, in µm.

        On the axis of the scalar model; the paraxial form is 2 n λ / NA².
        """
        return 1e-3 * self.wavelength / (self.ni - math.sqrt(self.ni**2 - self.na**2))

    @property
    def nyquist(self) -> tuple[float, float]:
        """Coarsest (axial, lateral) sampling that preserves all detail, in µm.

        λ / (4 NA) laterally and half the axial period along z; in a confocal microscope
        the bands of excitation and emission add up.
        """
        share = 1.0
        if self.modality == "confocal" and self.excitation:
            share = self.excitation / (self.excitation + self.wavelength)
        lateral = 0.25e-3 * self.wavelength / self.na
        return share * self.axial_period / 2, share * lateral


def _check_wavelength(name: str, value: float) -> None:
    if not 200 <= value <= 2000:
        raise OpticsError(
            f"the {name} wavelength is given in nanometres, between 200 and 2000 "
            f"(525, not 0.525); found {value}"
        )


def support_shape(
    optics: Optics, voxel_size: Sequence[float], extent: float = 2.0
) -> tuple[int, int, int]:
    """Return the odd (z, y, x) sizes of an array that contains the core of the PSF.

    Parameters
    ----------
    optics : Optics
        NA, refractive index and wavelength are used.
    voxel_size : sequence of float
        (z, y, x) in micrometres.
    extent : float
        Half widths: so many axial periods along z, twice as many Airy radii along y
        and x.
    """
    half = (
        extent * optics.axial_period,
        2 * extent * optics.airy_radius,
        2 * extent * optics.airy_radius,
    )
    z, y, x = (2 * math.ceil(h / v) + 1 for h, v in zip(half, voxel_size, strict=True))
    return z, y, x
