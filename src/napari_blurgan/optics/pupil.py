"""The pupil model: a PSF with few physical parameters that can be learned.

A scalar wave with a circular pupil, as a differentiable function of its numerical
aperture, its wavelength and a few Zernike terms; slightly widened laterally it
represents the vector field as well. Aperture and wavelength are *effective* values that
are correlated with each other: judge the kernel and not the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.kernel import Kernel
from napari_blurgan.optics.symmetry import Symmetry

__all__ = ["ABERRATIONS", "Model", "PupilKernel", "pupil_psf", "pupil_samples"]

Model = Literal["vectorial", "scalar", "born-wolf"]
LARGEST_APERTURE = 0.99  # of the refractive index: the model ends at a right angle


class Wave(NamedTuple):
    """Parameters that distinguish the models of `pupil_psf`.

    Parameters
    ----------
    apodisation : float
        The amplitude in the pupil is cos(θ) to this power; -1/2 collects the power of
        a point that shines equally in all directions.
    spread : float
        Standard deviation, in wavelengths within the medium, of a Gaussian in the
        plane with which the intensity is convolved.
    paraxial : bool
        Whether the defocus is quadratic in the pupil.
    """

    apodisation: float
    spread: float
    paraxial: bool


# The spread of 0.15 is measured: with it the NCC with the vectorial model exceeds
# 0.998 for NA 0.5 to 1.4 (docs/spectral.md).
WAVES: dict[Model, Wave] = {
    "vectorial": Wave(-0.5, 0.15, paraxial=False),
    "scalar": Wave(0.0, 0.0, paraxial=False),
    "born-wolf": Wave(0.0, 0.0, paraxial=True),
}

# Zernike polynomials over (ρ, sin φ · ρ, cos φ · ρ), each of unit variance over the
# disc [Noll, J. Opt. Soc. Am. 66, 1976].
ABERRATIONS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "spherical": lambda r, y, x: math.sqrt(5) * (6 * r**4 - 6 * r**2 + 1),
    "coma-y": lambda r, y, x: math.sqrt(8) * (3 * r**2 - 2) * y,
    "coma-x": lambda r, y, x: math.sqrt(8) * (3 * r**2 - 2) * x,
    "astigmatism": lambda r, y, x: math.sqrt(6) * (x**2 - y**2),
    "astigmatism-oblique": lambda r, y, x: math.sqrt(6) * 2 * x * y,
}


def pupil_psf(
    shape: Sequence[int],
    voxel_size: Sequence[float],
    *,
    na: Tensor | float,
    ni: float,
    wavelength: Tensor | float,
    aberrations: Mapping[str, Tensor | float] | None = None,
    model: Model = "vectorial",
    confocal: bool = False,
    samples: int | None = None,
) -> Tensor:
    """Return the intensity PSF of a circular pupil, sum one.

    h = |∬ A exp(iΨ + i z k_z + i k·r)|² over the pupil, as a matrix product along y
    and x. The pupil is sampled in units of its own radius, so that the result is a
    smooth function of the aperture.

    Parameters
    ----------
    shape : sequence of int
        (z, y, x) in voxels; the focus is at ``n // 2``.
    voxel_size : sequence of float
        (z, y, x) in micrometres.
    na, ni : float or 0-dim Tensor
        Numerical aperture, and the refractive index of the immersion medium.
    wavelength : float or 0-dim Tensor
        In vacuum, nanometres.
    aberrations : mapping
        Of `ABERRATIONS`, in waves (root mean square over the pupil).
    model : {"vectorial", "scalar", "born-wolf"}
        "vectorial": a scalar wave, its intensity widened to that of dipoles turning
        freely. "scalar": as Gibson and Lanni without mismatch. "born-wolf": paraxial.
    confocal : bool
        Square the intensity, for excitation and detection through one pupil. With a
        pinhole of one Airy unit the effective wavelength is a third longer.
    samples : int, optional
        Points across the pupil; by default enough for the shape.

    Returns
    -------
    Tensor
        (z, y, x), float32, differentiable in na, wavelength and aberrations.
    """
    aperture, wave = torch.as_tensor(na), torch.as_tensor(wavelength) / 1000
    kind = WAVES[model]
    nm = 1000 * wave.item()
    count = samples or pupil_samples(shape, voxel_size, aperture.item(), ni, nm)
    sy, sx, weight = _disc(count, aperture.device)
    rho = torch.hypot(sy, sx)
    z, y, x = (
        (torch.arange(n, device=aperture.device) - n // 2) * v
        for n, v in zip(shape, voxel_size, strict=True)
    )
    cosine = torch.sqrt(1 - (rho.clamp(max=1) * aperture / ni) ** 2)
    axial = 1 - (rho * aperture / ni) ** 2 / 2 if kind.paraxial else cosine
    waves = (axial - 1) * ni / wave * z[:, None, None]
    for name, amount in (aberrations or {}).items():
        waves = waves + amount * ABERRATIONS[name](rho, sy, sx)
    pupil = torch.polar(weight * cosine**kind.apodisation, 2 * math.pi * waves)
    field = _plane_waves(y, sy[:, :1], aperture / wave).mT @ pupil
    field = field @ _plane_waves(x, sx[:1].mT, aperture / wave)
    intensity = field.real**2 + field.imag**2
    if kind.spread:
        intensity = _spread(intensity, voxel_size, kind.spread * wave / ni)
    if confocal:
        intensity = intensity.square()
    return intensity / intensity.sum()


def pupil_samples(
    shape: Sequence[int],
    voxel_size: Sequence[float],
    na: float,
    ni: float,
    wavelength: float,
) -> int:
    """Return how many points across the pupil keep its replicas out of the array.

    A pupil of M points repeats its image every M·λ / (2 NA); this distance must
    accommodate the array and the cone of light at its outermost plane.
    """
    half = [n // 2 * v for n, v in zip(shape, voxel_size, strict=True)]
    sine = min(na / ni, LARGEST_APERTURE)
    cone = half[0] * sine / math.sqrt(1 - sine**2)
    reach = max(half[1:]) + min(cone, 4 * max(half))
    return 48 + 2 * math.ceil(2 * na * reach / (wavelength / 1000) / 2)


def _disc(count: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return (sin φ · ρ, cos φ · ρ, covered part) of the cells of a square grid."""
    edge = 2 / count
    line = (torch.arange(count, device=device) + 0.5) * edge - 1
    sy, sx = torch.meshgrid(line, line, indexing="ij")
    return sy, sx, (0.5 - (torch.hypot(sy, sx) - 1) / edge).clamp(0, 1)


def _plane_waves(position: Tensor, direction: Tensor, cycles: Tensor) -> Tensor:
    """Return exp(2πi · direction · cycles · position), (direction, position)."""
    phase = 2 * math.pi * cycles * direction.reshape(-1, 1) * position
    return torch.polar(torch.ones_like(phase), phase)


def _spread(intensity: Tensor, voxel_size: Sequence[float], sigma: Tensor) -> Tensor:
    """Convolve with a Gaussian of `sigma` µm along y and x."""
    _, height, width = intensity.shape
    fy = torch.fft.fftfreq(height, voxel_size[1], device=intensity.device)
    fx = torch.fft.rfftfreq(width, voxel_size[2], device=intensity.device)
    gaussian = torch.exp(-2 * (math.pi * sigma) ** 2 * (fy[:, None] ** 2 + fx**2))
    spectrum = torch.fft.rfft2(intensity) * gaussian
    return torch.fft.irfft2(spectrum, s=(height, width)).clamp_min(0)


class PupilKernel(Kernel):
    """A kernel that always obeys optics: `pupil_psf` with learned parameters.

    Parameters
    ----------
    shape : sequence of int
        (z, y, x) in voxels, odd; planes are (1, y, x).
    voxel_size : sequence of float
        (z, y, x) in micrometres.
    na, ni, wavelength : float
        Where to start; nanometres. The index is not learned, because it trades off
        against the aperture.
    aberrations : mapping or sequence of str
        Which of `ABERRATIONS` to learn, and from where (waves rms; zero by default).
    limit : float
        How far the aperture and the wavelength may go, as a factor: 0.5 allows from
        1 / 1.5 to 1.5 times the start, 0.15 suits optics that are known.
    model, confocal
        See `pupil_psf`.

    Raises
    ------
    OpticsError
        If the shape is even, or the aperture does not fit the refractive index.
    """

    def __init__(
        self,
        shape: Sequence[int],
        voxel_size: Sequence[float],
        *,
        na: float,
        ni: float,
        wavelength: float,
        aberrations: Mapping[str, float] | Sequence[str] = (),
        limit: float = 0.5,
        model: Model = "vectorial",
        confocal: bool = False,
    ) -> None:
        super().__init__(shape)
        _check_optics(self.shape, na, ni, wavelength, limit)
        self.voxel_size = tuple(voxel_size)
        self.ni = ni
        self.model: Model = model
        self.confocal = confocal
        largest = min(na * (1 + limit), LARGEST_APERTURE * ni)
        self.na = Bounded(min(na, largest), na / (1 + limit), largest)
        self.wavelength = Bounded(
            wavelength, wavelength / (1 + limit), wavelength * (1 + limit)
        )
        start = dict(aberrations) if isinstance(aberrations, Mapping) else {}
        self.aberrations = nn.ParameterDict(
            {name: torch.tensor(float(start.get(name, 0))) for name in aberrations}
        )
        self.samples = pupil_samples(
            self.shape, voxel_size, largest, ni, wavelength / (1 + limit)
        )

    def forward(self) -> Tensor:
        """Return the kernel, (z, y, x), sum one."""
        return pupil_psf(
            self.shape,
            self.voxel_size,
            na=self.na(),
            ni=self.ni,
            wavelength=self.wavelength(),
            aberrations=dict(self.aberrations.items()),
            model=self.model,
            confocal=self.confocal,
            samples=self.samples,
        )

    @property
    def symmetry(self) -> Symmetry:
        """Symmetry of the learned aberrations."""
        learned = set(self.aberrations)
        if learned - {"spherical"}:
            return Symmetry("", quarter_turns=False)
        return Symmetry("yx" if learned else "zyx")

    @property
    def findings(self) -> dict[str, float]:
        """The current optics."""
        return self.parameters_now()

    def parameters_now(self) -> dict[str, float]:
        """Return the current optics: na, ni, wavelength (nm), waves rms."""
        return {
            "na": self.na().item(),
            "ni": self.ni,
            "wavelength": self.wavelength().item(),
            **{name: value.item() for name, value in self.aberrations.items()},
        }


class Bounded(nn.Module):
    """A positive number to be learned between bounds, on a logarithmic scale.

    One unit of its parameter is one unit of the logarithm at the start, so that a
    learning rate is a relative change, whatever the bounds.
    """

    def __init__(self, start: float, low: float, high: float) -> None:
        super().__init__()
        self.middle = (math.log(low) + math.log(high)) / 2
        self.reach = (math.log(high) - math.log(low)) / 2
        # Not exactly at a bound, where the gradient vanishes.
        place = (math.log(start) - self.middle) / self.reach
        place = min(max(place, -0.99), 0.99)
        self.slope = 1 - place**2
        self.raw = nn.Parameter(
            torch.tensor(math.atanh(place) * self.reach / self.slope)
        )

    def forward(self) -> Tensor:
        """Return the number."""
        place = torch.tanh(self.raw * self.slope / self.reach)
        return torch.exp(self.middle + self.reach * place)


def _check_optics(
    shape: tuple[int, int, int], na: float, ni: float, wavelength: float, limit: float
) -> None:
    if any(n % 2 == 0 for n in shape):
        raise OpticsError(f"a pupil kernel has odd sizes, found {shape}")
    if not 0 < na < ni:
        raise OpticsError(
            f"a numerical aperture of {na:g} does not fit the refractive index {ni:g}"
        )
    if not wavelength > 0 or not limit > 0:
        raise OpticsError(
            f"wavelength and limit must be positive, found {wavelength:g} nm, {limit:g}"
        )
