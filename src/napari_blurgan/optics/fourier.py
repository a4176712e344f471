"""Convolution by FFT: sizes, transfer functions, exact adjoints, and that of ones.

One convention, used by the forward models and by classical deconvolution: the centre of
an array of length n is the voxel n // 2, and convolution with a kernel whose mass is
there shifts nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn import functional as F

__all__ = ["captured", "convolve", "correlate", "fast_shape", "transfer_function"]


def fast_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the smallest sizes >= `shape` for which the FFT is fast."""
    return tuple(int(next_fast_len(int(n), real=True)) for n in shape)


def transfer_function(kernel: Tensor, shape: Sequence[int]) -> Tensor:
    """Return the half-spectrum of `kernel`, its centre moved to the origin.

    Parameters
    ----------
    kernel : Tensor
        Real kernel over the last ``len(shape)`` axes, centred at ``n // 2``.
    shape : sequence of int
        Size of the transform; at least the size of the kernel.

    Returns
    -------
    Tensor
        Complex ``rfftn`` over the last ``len(shape)`` axes.
    """
    size = kernel.shape[-len(shape) :]
    if any(k > n for k, n in zip(size, shape, strict=True)):
        raise ValueError(f"a kernel of {tuple(size)} does not fit {tuple(shape)}")
    padding = [p for k, n in zip(size, shape, strict=True) for p in (n - k, 0)][::-1]
    axes = tuple(range(-len(shape), 0))
    padded = F.pad(kernel, padding).roll([-(k // 2) for k in size], axes)
    return torch.fft.rfftn(padded, dim=axes)


def convolve(image: Tensor, otf: Tensor, shape: Sequence[int]) -> Tensor:
    """Return the circular convolution of `image` with the kernel of `otf`.

    Parameters
    ----------
    image : Tensor
        Real image whose last axes have the sizes `shape`.
    otf : Tensor
        What `transfer_function` returned for the same `shape`.
    shape : sequence of int
        Size of the transform.
    """
    axes = tuple(range(-len(shape), 0))
    spectrum = torch.fft.rfftn(image, dim=axes) * otf
    return torch.fft.irfftn(spectrum, s=tuple(shape), dim=axes)


def correlate(image: Tensor, otf: Tensor, shape: Sequence[int]) -> Tensor:
    """Return the exact adjoint of `convolve`: multiplication by ``conj(otf)``."""
    return convolve(image, otf.conj(), shape)


def captured(kernel: Tensor, image: list[int], domain: list[int]) -> Tensor:
    """Return Hᵀ1: the share of each voxel's light that falls into the image.

    Summed in float64 along one axis after the other, without an FFT: all iterations
    multiply by 1 / Hᵀ1, so that an error in the last digit of float32 becomes one of a
    hundred digits. TorchScript compiles it as it is.

    Parameters
    ----------
    kernel : Tensor
        ([z,] y, x), centred at ``n // 2``, on any device.
    image : list of int
        Spatial shape of the image, at the origin of the domain.
    domain : list of int
        Spatial shape of the object; circular, what lies before the image is at its far
        end. Longer than the image by at least the kernel less one.

    Returns
    -------
    Tensor
        The shape of the domain, float64, on the CPU: not every device has float64.
    """
    light = kernel.detach().cpu().double()
    for axis in range(len(image)):
        taps, centre = light.size(axis), light.size(axis) // 2
        voxel = torch.arange(domain[axis])
        behind = voxel >= image[axis] + centre
        first = centre - torch.where(behind, voxel - domain[axis], voxel)
        total = torch.cumsum(light, axis)
        total = torch.cat([torch.zeros_like(total.narrow(axis, 0, 1)), total], axis)
        last = (first + image[axis]).clamp(0, taps)
        light = total.index_select(axis, last)
        light = light - total.index_select(axis, first.clamp(0, taps))
    return light
