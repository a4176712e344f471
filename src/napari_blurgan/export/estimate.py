"""Accelerated Richardson–Lucy in TorchScript: the same as `Estimator`, for any size.

It is written again, not traced: a trace would contain the estimate of the traced image.
tests/export compares it with the estimator on other images.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_blurgan.classical.accelerated import AcceleratedSteps
from napari_blurgan.estimates.estimator import LEVEL, Estimator
from napari_blurgan.estimates.grain import grainy, grainy_kernel, taps_of
from napari_blurgan.inverse.blur import LEAST_WEIGHT
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.fourier import captured

__all__ = ["ScriptedEstimate"]


class ScriptedEstimate(nn.Module):
    """Estimates of x under a fixed kernel.

    Parameters
    ----------
    estimator : Estimator
        How many iterations, which depths, which pedestal, which grain.
    blur : BlurKernel
        The kernel and the gain.
    """

    def __init__(self, estimator: Estimator, blur: BlurKernel) -> None:
        super().__init__()
        kernel = blur.kernel().detach()
        kernel = kernel.reshape(kernel.shape[-blur.dims :])
        taps = taps_of(estimator.grain).to(kernel)
        kernel = grainy_kernel(kernel, taps)
        self.kernel = nn.Parameter(kernel, requires_grad=False)
        self.taps = nn.Parameter(taps, requires_grad=False)
        self.iterations = estimator.iterations
        self.marks = [
            max(1, estimator.iterations >> d) for d in range(estimator.depths)
        ]
        self.pedestal = estimator.pedestal
        self.gain = float(blur.gain)
        self.lag = AcceleratedSteps.lag
        self.kept = AcceleratedSteps.kept
        self.level = LEVEL
        self.tiny = float(torch.finfo(torch.float32).tiny)
        self.least_weight = LEAST_WEIGHT

    def forward(self, y: Tensor) -> Tensor:
        """Return (n, depths, [z,] y, x) for y, (n, 1, [z,] y, x)."""
        size = list(y.shape[2:])
        domain = self._domain(size)
        otf = self._transfer(self.kernel, domain)
        seen = (y + self.pedestal).clamp(min=0)
        axes = [-1, -2] if len(size) == 2 else [-1, -2, -3]
        mean = seen.mean(axes, keepdim=True).clamp(min=0)
        least = 1e-6 * mean + self.tiny
        flat = torch.maximum(torch.full_like(mean, self.level), least)
        shape = list(y.shape[:2]) + domain
        estimate = flat.expand(shape).clone()
        point = estimate.clone()
        weights = self._weights(size, domain)
        found: list[Tensor] = []
        for done in range(1, self.iterations + 1):
            point = torch.maximum(torch.maximum(point, estimate * self.kept), least)
            expected = self._crop(self._forward(point, otf, domain), size)
            expected = torch.maximum(expected + self.pedestal, least)
            ratio = self._embed(seen / expected, domain)
            factor = (self._adjoint(ratio, otf, domain) * weights).clamp(min=0)
            update = factor * point
            momentum = done / (done + 1 + self.lag)
            point = update * (1 + momentum) - estimate * momentum
            estimate = update
            for mark in self.marks:
                if mark == done:
                    found.append(self._crop(grainy(estimate, self.taps), size))
        return torch.cat(found, 1) / self.gain

    def _domain(self, size: list[int]) -> list[int]:
        sizes: list[int] = []
        for axis in range(len(size)):
            sizes.append(_fast(size[axis] + self.kernel.size(axis) - 1))
        return sizes

    def _weights(self, size: list[int], domain: list[int]) -> Tensor:
        """Return 1 / Hᵀ1, computed in float64 as by `Blur`."""
        light = captured(self.kernel, size, domain)
        dark = light < self.least_weight * light.max()
        return light.reciprocal().masked_fill(dark, 0.0).to(self.kernel)

    def _transfer(self, kernel: Tensor, domain: list[int]) -> Tensor:
        """Return the spectrum of the kernel, its centre moved to the origin."""
        padded = self._embed(kernel, domain)
        for axis in range(len(domain)):
            padded = torch.roll(padded, -(kernel.size(axis) // 2), axis)
        return torch.fft.rfftn(padded)

    def _embed(self, image: Tensor, domain: list[int]) -> Tensor:
        padding: list[int] = []
        for axis in range(1, len(domain) + 1):
            padding.append(0)
            padding.append(domain[-axis] - image.size(image.dim() - axis))
        return torch.nn.functional.pad(image, padding)

    def _crop(self, image: Tensor, size: list[int]) -> Tensor:
        for axis in range(1, len(size) + 1):
            image = image.narrow(image.dim() - axis, 0, size[-axis])
        return image

    def _forward(self, x: Tensor, otf: Tensor, domain: list[int]) -> Tensor:
        axes = [-2, -1] if len(domain) == 2 else [-3, -2, -1]
        return torch.fft.irfftn(torch.fft.rfftn(x, dim=axes) * otf, domain, axes)

    def _adjoint(self, x: Tensor, otf: Tensor, domain: list[int]) -> Tensor:
        return self._forward(x, otf.conj(), domain)


def _fast(length: int) -> int:
    """Return the smallest size from `length` on without a prime factor above 5."""
    while not _is_smooth(length):
        length += 1
    return length


def _is_smooth(length: int) -> bool:
    for prime in (2, 3, 5):
        while length % prime == 0:
            length = length // prime
    return length == 1
