"""Grains: an object that is made of Gaussians has no detail that is finer than them.

The method of sieves (Snyder and Miller, IEEE Trans. Nucl. Sci. 32, 3864, 1985): the
object is x = G u, and Richardson-Lucy looks for u with the blur HG. Fine noise cannot
build up, so that far more iterations pay.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["grainy", "grainy_kernel", "taps_of"]

REACH = 3.0
"""Standard deviations after which a grain ends."""


def taps_of(grain: float) -> Tensor:
    """Return a Gaussian of that standard deviation in voxels, an odd number of taps."""
    radius = math.ceil(REACH * grain)
    distance = torch.arange(-radius, radius + 1, dtype=torch.float32)
    taps = torch.exp(-0.5 * (distance / max(grain, 1e-6)).square())
    return taps / taps.sum()


def grainy(image: Tensor, taps: Tensor) -> Tensor:
    """Convolve (…, y, x) along its last two axes, with zeros around it.

    Only in planes: along z the resolution of a microscope is always worse.
    """
    size, half = image.shape, taps.numel() // 2
    planes = image.reshape(-1, 1, size[-2], size[-1])
    planes = functional.conv2d(planes, taps.reshape(1, 1, -1, 1), padding=(half, 0))
    planes = functional.conv2d(planes, taps.reshape(1, 1, 1, -1), padding=(0, half))
    return planes.reshape(size)


def grainy_kernel(kernel: Tensor, taps: Tensor) -> Tensor:
    """Return the blur of grains: a kernel ([z,] y, x), grown by half a grain a side."""
    half = taps.numel() // 2
    return grainy(functional.pad(kernel, [half] * 4), taps)
