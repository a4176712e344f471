"""Linear deconvolution in one step: Wiener's filter and Tikhonov's."""

from __future__ import annotations

from typing import Unpack

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from napari_blurgan.classical.keywords import checked
from napari_blurgan.errors import DataError
from napari_blurgan.inverse.observation import Observation
from napari_blurgan.inverse.plan import Plan
from napari_blurgan.inverse.psf_fit import PsfLike
from napari_blurgan.inverse.result import Deconvolution
from napari_blurgan.inverse.run import (
    DirectOptions,
    finite,
    memory_reported,
    observe,
)

__all__ = ["tikhonov", "wiener"]


@checked
def wiener(
    image: ArrayLike,
    psf: PsfLike | Plan,
    *,
    noise: float = 0.01,
    **options: Unpack[DirectOptions],
) -> Deconvolution:
    """Deconvolve with a Wiener filter, conj(H) / (|H|² + noise), conserving the flux.

    Parameters
    ----------
    noise : float
        Power of the noise relative to the object's, taken as equal at all frequencies
        (Wiener 1949): 0.03 for dim images, 0.001 for bright ones.

    The result is linear in the image, may turn negative and rings at edges; it takes
    less time than one iteration of the others. Other parameters, options and errors
    are those of `richardson_lucy`.
    """
    return _filter(image, psf, noise, 0, options)


@checked
def tikhonov(
    image: ArrayLike,
    psf: PsfLike | Plan,
    *,
    smoothness: float = 0.1,
    **options: Unpack[DirectOptions],
) -> Deconvolution:
    """Deconvolve with a Tikhonov filter, conj(H) / (|H|² + smoothness · |k|⁴).

    Parameters
    ----------
    smoothness : float
        Weight of the squared Laplacian, k in radians a voxel of the smallest spacing
        (Tikhonov and Arsenin 1977): 1 for dim images, 0.03 for bright ones.

    Linear as `wiener`, but spares the low frequencies. Other parameters, options and
    errors are those of `richardson_lucy`.
    """
    return _filter(image, psf, smoothness, 4, options)


@torch.no_grad()
def _filter(
    image: ArrayLike,
    psf: PsfLike | Plan,
    strength: float,
    power: int,
    options: DirectOptions,
) -> Deconvolution:
    if strength <= 0:
        raise DataError(f"the strength of a filter is positive, found {strength}")
    with memory_reported():
        observation, plan, notes = observe(image, psf, options, signed=True)
        spectrum = torch.fft.rfftn(joined(observation), dim=observation.axes)
        penalty = frequency_power(observation, power)
        response = plan.blur.otf.abs().square_().add_(penalty.mul_(strength))
        kept = response.flatten()[0] / plan.blur.otf.flatten()[0]  # of the flux
        spectrum *= plan.blur.otf.conj().mul(kept) / response
        x = torch.fft.irfftn(spectrum, s=plan.blur.shape, dim=observation.axes)
        return Deconvolution(
            finite(observation.result(x)),
            plan.psf,
            0,
            "solved in one step",
            notes=notes,
        )


def joined(observation: Observation) -> Tensor:
    """Return the image above its background, extended smoothly around the domain.

    Beyond the field of view it is interpolated linearly from each edge to the opposite
    one, so that the transform sees no jump.
    """
    blur = observation.blur
    x = blur.embed(observation.image - observation.background)
    for axis, n in zip(observation.axes, blur.image_shape, strict=True):
        gap = x.shape[axis] - n
        if gap:
            last, first = x.narrow(axis, n - 1, 1), x.narrow(axis, 0, 1)
            shape = [1] * x.ndim
            shape[axis] = gap
            ramp = torch.arange(1, gap + 1, device=x.device).div(gap + 1).view(shape)
            x.narrow(axis, n, gap).copy_(torch.lerp(last, first, ramp))
    return x


def frequency_power(observation: Observation, power: int) -> Tensor:
    """Return |k|^power over the half-spectrum of the domain."""
    shape, like = observation.blur.shape, observation.blur.otf.real
    squared = torch.zeros_like(like)
    for axis, n, spacing in zip(
        observation.axes, shape, observation.spacing, strict=True
    ):
        kind = torch.fft.rfftfreq if axis == -1 else torch.fft.fftfreq
        k = kind(n, spacing, device=like.device).mul_(2 * torch.pi).square_()
        squared += k.view([-1 if a == axis else 1 for a in observation.axes])
    return squared.pow_(power / 2)
