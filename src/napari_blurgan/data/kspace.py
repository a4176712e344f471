"""Lines of k-space, the Fourier transform of a complex image in two channels."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

__all__ = [
    "AXIS",
    "Lines",
    "conjugate",
    "draw_lines",
    "keep_measured",
    "measured_lines",
    "rotated",
    "smooth_phase",
    "through_lines",
]

SILENT = 1e-10
"""Energy of a line, relative to the strongest one, below which it was not measured:
that of rounding errors is smaller by four orders of magnitude."""

Lines = Literal["y", "x"]
AXIS = {"y": -2, "x": -1}


def draw_lines(
    count: int,
    acceleration: float,
    centre: float,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return which of `count` lines are measured, the lowest frequency first.

    Parameters
    ----------
    count : int
        Lines of k-space.
    acceleration : float
        Lines per line that is measured.
    centre : float
        Share of lines in the middle that always are; one at least.
    generator : torch.Generator, optional
        Torch's global one by default.

    Returns
    -------
    Tensor of bool, (count,)
        In the order of `torch.fft.fft`.
    """
    middle = max(1, round(centre * count))
    wanted = max(middle, round(count / acceleration))
    lines = torch.zeros(count, dtype=torch.bool)
    lines[:middle] = True
    lines = lines.roll(-(middle // 2))
    rest = torch.nonzero(~lines)[:, 0]
    drawn = torch.randperm(len(rest), generator=generator)[: wanted - middle]
    lines[rest[drawn]] = True
    return lines


def _complex(image: Tensor) -> Tensor:
    return torch.complex(image[:, 0].float(), image[:, 1].float())


def _parts(image: Tensor) -> Tensor:
    return torch.stack([image.real, image.imag], 1)


def measured_lines(y: Tensor, axis: str = "y") -> Tensor:
    """Return which lines of k-space are not zero, (n, 1 or lines, lines or 1).

    Parameters
    ----------
    y : Tensor, (n, 2, y, x)
        Images.
    axis : {"y", "x"}
        Across the lines.
    """
    dim = AXIS[axis]
    with torch.autocast(y.device.type, enabled=False):
        spectrum = torch.fft.fft(_complex(y.detach()), dim=dim)
    energy = spectrum.abs().square().sum(-3 - dim, keepdim=True)
    return energy > SILENT * energy.amax((-2, -1), keepdim=True)


def through_lines(x: Tensor, lines: Tensor, axis: str = "y") -> Tensor:
    """Return F^-1 P F x, where P keeps some lines.

    Along the lines, F and F^-1 cancel.

    Parameters
    ----------
    x : Tensor, (n, 2, y, x)
        Images.
    lines : Tensor of bool
        As `measured_lines` returns them.
    axis : {"y", "x"}
        Across the lines.
    """
    dim = AXIS[axis]
    with torch.autocast(x.device.type, enabled=False):
        spectrum = torch.fft.fft(_complex(x), dim=dim) * lines
        return _parts(torch.fft.ifft(spectrum, dim=dim))


def smooth_phase(y: Tensor, centre: float, axis: str = "y") -> Tensor:
    """Return the phase of the middle of k-space, as numbers of magnitude one.

    Parameters
    ----------
    y : Tensor, (n, 2, y, x)
        Images.
    centre : float
        Share of the lines in the middle; one at least.
    axis : {"y", "x"}
        Across the lines.
    """
    dim = AXIS[axis]
    count = y.shape[dim]
    middle = max(1, round(centre * count))
    lines = torch.zeros(count, dtype=torch.bool, device=y.device)
    lines[:middle] = True
    lines = lines.roll(-(middle // 2))
    low = through_lines(y, lines[:, None] if dim == -2 else lines, axis)
    size = low.square().sum(1, keepdim=True).sqrt()
    return low / size.clamp_min(1e-12)


def rotated(x: Tensor, phase: Tensor) -> Tensor:
    """Return the product of complex images in two channels, (n, 2, y, x)."""
    a, b = x.unbind(1)
    c, d = phase.unbind(1)
    return torch.stack([a * c - b * d, a * d + b * c], 1)


def conjugate(x: Tensor) -> Tensor:
    """Return the complex conjugate of images in two channels."""
    return torch.stack([x[:, 0], -x[:, 1]], 1)


def keep_measured(y: Tensor, x: Tensor, axis: str = "y") -> Tensor:
    """Return a reconstruction with the lines of k-space that were measured.

    Parameters
    ----------
    y, x : Tensor, (n, 2, y, x)
        The undersampled images and their reconstructions, in the same units.
    axis : {"y", "x"}
        Across the lines.
    """
    return x + through_lines(y - x, measured_lines(y, axis), axis)
