"""Measurements of the two data sets before training: levels, gain and noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import convolve, uniform_filter
from torch import Tensor

from napari_blurgan.data.normalize import Normalization
from napari_blurgan.interruption import heed_stop

__all__ = ["Calibration", "NoiseModel", "background_level", "estimate_noise"]

# Keeps the variance of white noise; flat and linear structure cancels
# (Immerkaer 1996).
LAPLACIANS = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]]) / 6

QUANTILE, CHI_SQUARE = 0.8, 1.6424
"""Of the squared differences in a bin, and of a chi-square with one degree of freedom.
The median would be too low where the pixels of a bin differ in their signal."""

# Photons per pixel below which the noise is far from Gaussian.
FEW = 4.0

THIN = 2
"""Stride of the sampled pixels along y and x: neighbours carry almost the same
information about the noise, and sorting all pixels takes seconds."""

SHARES = LAPLACIANS**2
"""Of each pixel in the variance of a second difference; they add up to one."""

CORE, NEIGHBOURS = (3, 3, 3), (3, 5, 5)
"""Voxels, along (z, y, x), that a second difference is close to; and voxels by whose
mean, without the core, it is sorted. The noise of the two is independent: sorting by
voxels that it contains costs a fifth of the slope in planes, and more in dim light."""

MANY = 2**16
"""Patches with fewer voxels than this are used completely."""


@dataclass(frozen=True)
class NoiseModel:
    """Poisson-Gaussian noise: variance = slope * signal + intercept.

    Parameters
    ----------
    slope, intercept : float
        In normalised intensities; not negative.
    """

    slope: float
    intercept: float

    def add(self, image: Tensor) -> Tensor:
        """Return `image` with noise from torch's global generator.

        Where a dark pixel has few photons, including those of the pedestal, they are
        counted; elsewhere a Gaussian is used.
        """
        signal = image.detach().clamp_min(0)
        if 0 < self.intercept < FEW * self.slope**2:
            photons = torch.poisson((signal + self.pedestal) / self.slope)
            return image + (self.slope * photons - self.pedestal - signal)
        variance = self.slope * signal + self.intercept
        return image + variance.sqrt() * torch.randn_like(image)

    def shifted(self, shift: float) -> NoiseModel:
        """Return the same noise of an image whose zero lies lower by `shift`."""
        return NoiseModel(self.slope, max(self.intercept - self.slope * shift, 0.0))

    def with_light(self, share: float) -> NoiseModel:
        """Return the noise of a share of the photons, scaled to the full level."""
        return NoiseModel(self.slope / share, self.intercept / share)

    @property
    def pedestal(self) -> float:
        """Signal at which photon noise equals read noise.

        A Poisson model of image + pedestal treats the read noise as additional
        background photons (Snyder et al. 1993).
        """
        return self.intercept / self.slope if self.slope > 0 else 0.0


@dataclass(frozen=True)
class Calibration:
    """Relation between the raw intensities of the two domains.

    Parameters
    ----------
    y, x : Normalization
        Of the measured and of the sharp domain.
    gain : float
        Mean of y over mean of x, both normalised: y = gain * h * x with a sum-one h.
        1 where the forward model is no blur.
    noise : NoiseModel
        Of normalised y.
    output : Normalization
        That undoes the normalisation of G(y). A sum-one blur keeps the flux, so a
        deconvolved image is in the units of its input.
    width : float
        Of the blur, in units of that which was given.
    thickness : float, optional
        In micrometres, of the sample around a plane, where it was estimated.
    """

    y: Normalization
    x: Normalization
    gain: float
    noise: NoiseModel
    output: Normalization
    width: float = 1.0
    thickness: float | None = None

    def shifted(self, shift: float, brighter: float = 1.0) -> Calibration:
        """Return the levels with the background of y lowered by `shift`.

        Parameters
        ----------
        shift : float
            In normalised intensities of y.
        brighter : float
            By how much that raises the gain.
        """
        offset = self.y.offset - shift * self.y.scale
        return replace(
            self,
            y=Normalization(offset, self.y.scale),
            noise=self.noise.shifted(shift),
            gain=self.gain * brighter,
            output=Normalization(offset, self.output.scale * brighter),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Calibration:
        """Return a calibration from the numbers of `to_dict`."""
        levels = {k: Normalization(**values[k]) for k in ("y", "x", "output")}
        noise = NoiseModel(**values["noise"])
        width, thickness = values.get("width", 1.0), values.get("thickness")
        return cls(
            **levels,
            gain=values["gain"],
            noise=noise,
            width=width,
            thickness=thickness,
        )


def background_level(patches: Sequence[NDArray[np.number]]) -> float:
    """Return the intensity of the background, with the noise averaged out.

    A low percentile of raw pixels lies below the background by a few sigma of the
    noise, which would bias every mean; that of locally averaged pixels does not.

    Parameters
    ----------
    patches : sequence of ndarray
        (z, y, x) or (y, x), drawn uniformly from the data.
    """
    # The mean of integers would be truncated to an integer.
    smooth = [_smoothed(patch) for patch in patches]
    heed_stop()
    return float(np.percentile(np.concatenate(smooth), 5))


def _smoothed(patch: NDArray[np.number]) -> NDArray[np.float32]:
    heed_stop()
    smooth: NDArray[np.float32] = uniform_filter(patch, 5, output=np.float32)
    return smooth[..., ::3, ::3].ravel()


def estimate_noise(
    patches: Sequence[NDArray[np.float32]], bins: int = 48
) -> NoiseModel:
    """Fit variance = slope * signal + intercept to the finest detail of patches.

    The variance is that of a second difference along both in-plane axes, which contains
    only noise if an image is sampled finely enough; the signal is that of the same
    pixels. Both are averaged over bins of equal population, sorted by the mean of the
    surrounding pixels: an instrumental variable, which removes the bias that the noise
    of the signal would have on the slope. Variances are averaged by a quantile, which
    leaves out the largest, where structure might be mistaken for noise. If most pixels
    have no photons it is uninformative, and the mean is used.

    Parameters
    ----------
    patches : sequence of ndarray
        (z, y, x) or (y, x), in normalised intensities.
    bins : int
        Bins along the signal.
    """
    around, signal, variance = (
        np.concatenate(columns)
        for columns in zip(*map(_signal_and_variance, patches), strict=True)
    )
    order = np.argsort(around)
    heed_stop()
    levels = np.array([s.mean() for s in np.array_split(signal[order], bins)])
    binned = np.array_split(variance[order], bins)
    heed_stop()
    spread = np.array([np.quantile(v, QUANTILE) for v in binned]) / CHI_SQUARE
    first, _ = np.polyfit(levels, spread, 1)
    means = np.array([v.mean() for v in binned])
    spread = np.where(levels < FEW * first, means, spread)
    if not spread.any():
        return NoiseModel(0.0, 0.0)  # drawn, not measured
    # Equal relative errors, except in bins that are dark only by selection.
    weights = 1 / np.maximum(spread, spread.max() / 50)
    slope, intercept = np.polyfit(levels, spread, 1, w=weights)
    if slope <= 0:
        return NoiseModel(0.0, float(np.median(spread)))
    return NoiseModel(float(slope), max(float(intercept), 0.0))


def _signal_and_variance(
    patch: NDArray[np.float32],
) -> tuple[NDArray[np.float64], ...]:
    """Return the mean around each pixel, its signal, and the variance of its noise."""
    heed_stop()
    planes = patch.reshape(-1, *patch.shape[-2:]).astype(np.float64)
    columns = (
        _around(planes),
        convolve(planes, SHARES[None]),
        np.square(convolve(planes, LAPLACIANS[None])),
    )
    every = THIN if patch.size > MANY else 1
    inside = slice(1, -1, every)
    return tuple(column[:, inside, inside].ravel() for column in columns)


def _around(planes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of `NEIGHBOURS` without `CORE`."""
    wide, core = math.prod(NEIGHBOURS), math.prod(CORE)
    total = wide * uniform_filter(planes, NEIGHBOURS)
    ring: NDArray[np.float64] = total - core * uniform_filter(planes, CORE)
    return ring / (wide - core)
