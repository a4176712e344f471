"""The projected error of a restoration, weighted by the transfer function."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_blurgan.interruption import heed_stop
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.fourier import fast_shape, transfer_function

__all__ = ["ProjectedError", "window"]


class ProjectedError:
    """mean |W F(r)|^2 of residuals r, with |W|^2 = 1 / (|H|^2 + floor).

    For r = H x + noise - H G, its expected value is the error of G itself wherever H
    transmits light, plus a constant. The likelihood weights that error by |H|^2 and is
    almost insensitive to it; here it counts fully.

    Parameters
    ----------
    blur : BlurKernel
        H; its transfer function is one at frequency zero.
    shape : sequence of int
        Of the residuals, ([z,] y, x).
    floor : float
        Of |H|^2: frequencies that are weaker count less.
    """

    def __init__(self, blur: BlurKernel, shape: tuple[int, ...], floor: float) -> None:
        kernel = blur.kernel().detach().float()
        kernel = kernel.reshape(kernel.shape[-blur.dims :])
        pairs = zip(shape, kernel.shape, strict=True)
        self.size = fast_shape([max(n, k) for n, k in pairs])
        power = transfer_function(kernel / kernel.sum(), self.size).abs().square()
        self.weight = 1 / (power + floor)
        self.amplitude = self.weight.sqrt()
        # The half spectrum contains all frequencies twice, except the outermost.
        self.weight[..., 1 : (self.size[-1] + 1) // 2] *= 2

    def filtered(self, residual: Tensor) -> Tensor:
        """Return W applied to (..., [z,] y, x), with the same shape.

        The residual has been tapered to zero at the border; what the filter moves
        beyond it is cut off.
        """
        heed_stop()
        axes = tuple(range(-len(self.size), 0))
        spectrum = torch.fft.rfftn(residual.float(), s=self.size, dim=axes)
        spectrum = spectrum * self.amplitude.to(spectrum.device)
        image = torch.fft.irfftn(spectrum, s=self.size, dim=axes)
        shape = residual.shape[-len(self.size) :]
        return image[(..., *(slice(n) for n in shape))]

    def __call__(self, residual: Tensor) -> Tensor:
        """Return the mean over the voxels of a tapered (..., [z,] y, x)."""
        heed_stop()
        axes = tuple(range(-len(self.size), 0))
        spectrum = torch.fft.rfftn(residual.float(), s=self.size, dim=axes)
        power = spectrum.real.square() + spectrum.imag.square()
        total = (self.weight.to(power.device) * power).sum()
        return total / (torch.Size(self.size).numel() * residual.numel())


def window(shape: tuple[int, ...], margin: int) -> Tensor:
    """Return a window that falls to zero over `margin` voxels on every side.

    An axis that is too short for that is left unchanged.
    """
    whole = torch.ones(shape)
    for axis, n in enumerate(shape):
        if n < 4 * margin:
            continue
        place = torch.arange(n) + 0.5
        rise = (torch.minimum(place, n - place) / margin).clamp(max=1)
        sides = torch.sin(torch.pi / 2 * rise).square()
        whole = whole * sides.reshape(
            [-1 if a == axis else 1 for a in range(len(shape))]
        )
    return whole
