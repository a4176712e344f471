"""Identify a PSF from unpaired images: a pupil model fitted to their power spectra."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from torch import Tensor

from napari_blurgan.errors import OpticsError
from napari_blurgan.identification.spectral import SpectralLoss
from napari_blurgan.interruption import heed_stop
from napari_blurgan.optics.geometry import checked_voxel_size
from napari_blurgan.optics.models import Optics, support_shape
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.pupil import (
    LARGEST_APERTURE,
    Model,
    PupilKernel,
    pupil_psf,
    pupil_samples,
)

__all__ = ["SpectralFit", "identify_psf"]

# Search range without any knowledge: NA as a share of the refractive index, and the
# wavelengths of fluorescence, with room for what the model leaves out.
SMALLEST_APERTURE = 0.1
STARTS = (0.45, 0.7, 0.9)
WAVELENGTHS = (350.0, 900.0)
SEEN = 0.7  # share of the optical band that is above the noise, approximately
# The second is what many programs compute, the third what simulations after Lim et al.
# (2020) use at any aperture. They, and a PSF that ends where `shape` does, must explain
# the spectra better than those before to be taken.
MODELS: tuple[Model, ...] = ("vectorial", "scalar", "born-wolf")
BETTER = 0.9
ROUNDS = 2  # after the first, each with the bias of the window for the latest kernel
# Two sets of one kind differ in power by 0.3 of its logarithm in places, and no model
# is exact, least of all where |H|² is small: what counts most is in between.
UNCERTAINTY = (0.3, 0.1)
PART = 2 / 3  # share of the plane: overlapping patches use more of it than one window
EXTENT = 2.0  # size of the kernel while fitting, in the units of `support_shape`

ODD = 2.5  # multiple of the residual expected by chance
SMALL, LARGE = 0.02, 0.1  # residuals that are good enough, and too large in any case
CLOSE = 1.005  # factor within which a point is at a limit

Interval = tuple[float, float]
Point = tuple[float, float]  # NA, and wavelength in nm


@dataclass(frozen=True)
class SpectralFit:
    """What `identify_psf` found.

    Parameters
    ----------
    psf : Psf
        Its provenance holds the parameters too.
    na, ni, wavelength : float
        Of the pupil; effective values, see `napari_blurgan.optics.pupil`.
    model : str
        Of `napari_blurgan.optics.pupil`: the one that explains the spectra best.
    confocal : bool
        As asked for.
    gain : float
        Blurred over sharp intensity that goes with this PSF, backgrounds taken off.
    residual : float
        Mean squared log ratio of measured to predicted power, where there is signal.
    expected : float
        What the residual comes to by the differences between images of one set.
    matched : bool
        Whether the fit can be trusted.
    message : str
        A sentence for people, saying why not where it cannot.
    """

    psf: Psf
    na: float
    ni: float
    wavelength: float
    model: Model
    confocal: bool
    gain: float
    residual: float
    expected: float
    matched: bool
    message: str

    def kernel(self, shape: Sequence[int], **options: Any) -> PupilKernel:
        """Return the same pupil, with learnable parameters.

        Parameters
        ----------
        shape : sequence of int
            (z, y, x), odd.
        **options
            `limit` and `aberrations` of `PupilKernel`.
        """
        return PupilKernel(
            shape,
            self.psf.voxel_size,
            na=self.na,
            ni=self.ni,
            wavelength=self.wavelength,
            model=self.model,
            confocal=self.confocal,
            **options,
        )


def identify_psf(
    blurred: Sequence[NDArray[np.generic]],
    sharp: Sequence[NDArray[np.generic]],
    voxel_size: Sequence[float],
    *,
    na: float | None = None,
    ni: float = 1.515,
    wavelength: float | None = None,
    limit: float = 0.3,
    confocal: bool = False,
    shape: Sequence[int] | None = None,
) -> SpectralFit:
    """Find the PSF that relates the average power spectra of the two sets.

    Parameters
    ----------
    blurred, sharp : sequence of ndarray
        (z, y, x) each, unpaired, of the same kind of structure, on the same voxels.
        Of planes, (y, x), only the width of the PSF in focus is identified.
    voxel_size : sequence of float
        (z, y, x) in micrometres.
    na, wavelength : float, optional
        Of the objective and of the emission (nm), where known.
    ni : float
        Refractive index of the immersion medium.
    limit : float
        How far the fit may depart from a known `na` and `wavelength`: from
        1 / (1 + limit) to 1 + limit times.
    confocal : bool
        Whether excitation and detection are focused; with a pinhole of an Airy unit
        the effective wavelength is a third longer, which asks for a `limit` of 0.4.
    shape : sequence of int, optional
        (z, y, x) of the PSF; by default it holds the core. Whether the blur ends
        there, as that of many simulations does, or goes on, is found out.

    Returns
    -------
    SpectralFit

    Raises
    ------
    DataError
        If the images cannot be used or show too little signal.
    OpticsError
        If the optics are impossible.
    """
    voxel = checked_voxel_size(voxel_size)
    spectra = SpectralLoss(
        blurred, sharp, voxel, refresh=0, part=PART, uncertainty=UNCERTAINTY
    )
    apertures = _apertures(na, ni, limit, plane=spectra.patch[0] == 1)
    waves = _interval(wavelength, limit, WAVELENGTHS)
    starts = _starts(spectra.cut_off, ni, apertures, waves)
    wide = support_shape(Optics(starts[-1][0], ni, starts[-1][1]), voxel, EXTENT)
    supports = [_within(size, spectra.patch) for size in (wide, shape or wide)]
    found = [
        _fit(
            _Pupils(spectra, voxel, ni, apertures, waves, confocal, model, support),
            starts,
        )
        for support in dict.fromkeys(supports)
        for model in MODELS
    ]
    best = found[0]
    for other in found[1:]:
        if other.residual < BETTER * best.residual:
            best = other
    return _result(best, shape)


def _interval(value: float | None, limit: float, unknown: Interval) -> Interval:
    if value is None:
        return unknown
    if not value > 0 or not limit > 0:
        raise OpticsError(
            f"NA, wavelength and limit must be positive, found {value:g} and {limit:g}"
        )
    return value / (1 + limit), value * (1 + limit)


def _apertures(na: float | None, ni: float, limit: float, plane: bool) -> Interval:
    largest = LARGEST_APERTURE * ni
    if plane:
        # In focus only NA / wavelength has an effect: one of the two must be fixed.
        na, limit = na or STARTS[1] * ni, 1e-3
    if na is not None and na >= ni:
        raise OpticsError(f"NA {na:g} does not fit the refractive index {ni:g}")
    low, high = _interval(na, limit, (SMALLEST_APERTURE * ni, largest))
    return min(low, 0.99 * largest), min(high, largest)


def _starts(
    cut_off: float, ni: float, apertures: Interval, waves: Interval
) -> list[Point]:
    """Return where to look first: what is known, or what the data's band suggests."""
    numbers = [math.sqrt(math.prod(apertures))]
    if apertures[1] / apertures[0] > 3:
        numbers = [share * ni for share in STARTS]
    if waves != WAVELENGTHS:
        return [(na, math.sqrt(math.prod(waves))) for na in numbers]
    low, high = waves[0] * 1.1, waves[1] / 1.1
    guesses = [(na, 2e3 * na * SEEN / cut_off) for na in numbers]
    return [(na, min(max(nm, low), high)) for na, nm in guesses]


def _within(shape: Sequence[int], patch: Sequence[int]) -> tuple[int, int, int]:
    """Return the largest odd support within both limits."""
    z, y, x = (min(n, p) for n, p in zip(shape, patch, strict=True))
    return z - 1 + z % 2, y - 1 + y % 2, x - 1 + x % 2


@dataclass(frozen=True)
class _Pupils:
    """The pupils of one model between limits, on one support."""

    spectra: SpectralLoss
    voxel: tuple[float, float, float]
    ni: float
    na: Interval
    wavelength: Interval
    confocal: bool
    model: Model
    shape: tuple[int, int, int]

    def kernel(
        self,
        point: Point,
        shape: Sequence[int] | None = None,
        samples: int | None = None,
    ) -> Tensor:
        """Return the kernel of a point, by default on the support of the fit."""
        return pupil_psf(
            shape or self.shape,
            self.voxel,
            na=point[0],
            ni=self.ni,
            wavelength=point[1],
            model=self.model,
            confocal=self.confocal,
            samples=samples,
        )

    def cost(self, point: Point) -> float:
        """Return the loss at a point."""
        return float(self.spectra(self.kernel(point)))

    def nearest(self, start: Point) -> Point:
        """Return the best point near `start`, by least squares on logarithms."""
        # The sampling of the pupil must not change from one point to the next.
        na = min(1.2 * start[0], self.na[1])
        samples = pupil_samples(self.shape, self.voxel, na, self.ni, start[1] / 1.2)
        weight = self.spectra.weight.sqrt()

        def residuals(logs: NDArray[np.float64]) -> NDArray[np.float32]:
            """Return the weighted residuals at the logarithms of a point."""
            heed_stop()
            point = (math.exp(logs[0]), math.exp(logs[1]))
            kernel = self.kernel(point, samples=samples)
            return (weight * self.spectra.residuals(kernel)).numpy()

        low, high = np.log(list(zip(self.na, self.wavelength, strict=True)))
        found = least_squares(
            residuals,
            np.clip(np.log(start), low + 1e-6, high - 1e-6),
            bounds=(low, high),
            diff_step=1e-3,
            x_scale=0.1,
            ftol=1e-4,
            xtol=1e-4,
            max_nfev=30,
        )
        return math.exp(found.x[0]), math.exp(found.x[1])

    def at_limit(self, point: Point) -> bool:
        """Whether the fit would continue beyond its limits.

        The largest aperture does not count as a limit: good objectives come close to
        it.
        """
        (na, nm), (low, high) = point, self.wavelength
        short = self.spectra.patch[0] > 1 and na < self.na[0] * CLOSE
        return short or nm < low * CLOSE or nm > high / CLOSE


@dataclass(frozen=True)
class _Found:
    """The best of several pupil models."""

    pupils: _Pupils
    point: Point
    residual: float
    gain: float  # of the kernel on the support of the fit


def _fit(pupils: _Pupils, starts: Sequence[Point]) -> _Found:
    spectra = pupils.spectra
    spectra.reset()
    point = pupils.nearest(min(starts, key=pupils.cost))
    for _ in range(ROUNDS):
        spectra.calibrate(pupils.kernel(point))
        point = pupils.nearest(point)
    kernel = pupils.kernel(point)
    spectra.calibrate(kernel)
    return _Found(pupils, point, spectra.misfit(kernel), spectra.gain(kernel))


def _result(found: _Found, shape: Sequence[int] | None) -> SpectralFit:
    pupils, point = found.pupils, found.point
    shape = shape or support_shape(Optics(point[0], pupils.ni, point[1]), pupils.voxel)
    if pupils.shape[0] == 1:
        shape = (1, *shape[-2:])
    data = pupils.kernel(point, shape)
    doubt = _doubt(found)
    figures: dict[str, Any] = {
        "na": point[0],
        "ni": pupils.ni,
        "wavelength": point[1],
        "model": pupils.model,
        "confocal": pupils.confocal,
        # Both kernels are parts of one PSF, each scaled to sum to one.
        "gain": found.gain * float(pupils.kernel(point).max() / data.max()),
        "residual": found.residual,
        "expected": pupils.spectra.expected,
    }
    return SpectralFit(
        Psf(data.numpy(), pupils.voxel, {"source": "spectral", **figures}),
        matched=not doubt,
        message=doubt or "the two sets match: an optical blur explains their spectra",
        **figures,
    )


def _doubt(found: _Found) -> str:
    """Return why the fit is unreliable, or nothing."""
    expected = found.pupils.spectra.expected
    if found.residual > max(ODD * expected, SMALL):
        return (
            "the two sets do not match: no blur explains the difference between their "
            "spectra, as if they showed different kinds of structure; choose another "
            "sharp set, or take the PSF from optics or beads"
        )
    if found.pupils.at_limit(found.point):
        na, nm = found.point
        return (
            f"the two sets do not match within the limits of optics (the fit ended at "
            f"NA {na:.2f}, {nm:.0f} nm), as if the sharp set showed thicker or other "
            f"structures; choose another, or take the PSF from optics or beads"
        )
    if found.residual > LARGE:
        return (
            "the images of one set differ too much from each other to estimate the "
            "blur; give more of them, or take the PSF from optics or beads"
        )
    return ""
