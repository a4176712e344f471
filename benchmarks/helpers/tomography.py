"""Parallel projections of toy cells about one axis, and filtered back-projection."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn import functional as F

SIDE = 48
ANGLES = tuple(range(-90, 90, 6))
"""Degrees; 0 looks along z."""
TILT = 60
"""Projections are measured up to this angle on both sides."""


def cells(count: int, seed: int) -> Tensor:
    """Draw cells with a nucleus and vesicles, (n, y, z, x), no two alike."""
    rng = np.random.default_rng(seed)
    return torch.from_numpy(np.stack([_cell(rng) for _ in range(count)]))


def _cell(rng: np.random.Generator) -> np.ndarray:
    grid = np.moveaxis(np.indices((SIDE,) * 3) - (SIDE - 1) / 2, 0, -1)
    middle = rng.uniform(-2, 2, 3)
    drawn = 0.4 * _ball(grid, middle, rng.uniform(13, 18, 3))
    drawn += 0.4 * _ball(grid, middle + rng.uniform(-4, 4, 3), rng.uniform(5, 8, 3))
    for _ in range(rng.integers(6, 12)):
        place = middle + rng.normal(0, 5, 3)
        drawn += rng.uniform(0.2, 0.6) * _ball(grid, place, rng.uniform(1.2, 2.5, 3))
    return gaussian_filter(drawn, 0.7).astype(np.float32)


def _ball(grid: np.ndarray, middle: np.ndarray, axes: np.ndarray) -> np.ndarray:
    inside: np.ndarray = np.square((grid - middle) / axes).sum(-1) < 1
    return inside


def measured() -> list[bool]:
    """Return which of `ANGLES` are measured."""
    return [abs(angle) <= TILT for angle in ANGLES]


def projections(volumes: Tensor, angles: Sequence[float] = ANGLES) -> Tensor:
    """Return sums along lines at each angle, (n, angle, y, s)."""
    return torch.stack([_turned(volumes, a).sum(-2) for a in angles], 1)


def back_projected(views: Tensor, angles: Sequence[float] = ANGLES) -> Tensor:
    """Return the filtered back-projection of (n, angle, y, s), as (n, y, z, x).

    Every angle counts for the same share of a half turn: those that are left out stay
    without their share.
    """
    frequencies = torch.fft.rfftfreq(2 * SIDE)
    spectra = torch.fft.rfft(F.pad(views, (0, SIDE)), dim=-1)
    filtered = torch.fft.irfft(2 * frequencies * spectra, dim=-1)[..., :SIDE]
    total = torch.zeros(len(views), SIDE, SIDE, SIDE)
    for number, angle in enumerate(angles):
        smeared = filtered[:, number, :, None, :].expand(-1, -1, SIDE, -1)
        total += _turned(smeared, -angle)
    return total * math.pi / (2 * len(ANGLES))


def _turned(volumes: Tensor, angle: float) -> Tensor:
    """Turn (n, y, z, x) in the plane of z and x."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    matrix = torch.tensor([[cos, -sin, 0.0], [sin, cos, 0.0]])
    shape = (len(volumes), *volumes.shape[1:])
    grid = F.affine_grid(matrix.expand(len(volumes), 2, 3), shape, align_corners=False)
    return F.grid_sample(volumes, grid, align_corners=False)


def missing_error(made: Tensor, truth: Tensor) -> tuple[float, float]:
    """Return the relative error of a spectrum: where nothing is measured, elsewhere.

    Parameters
    ----------
    made, truth : Tensor
        (n, y, z, x).
    """
    spectrum = torch.fft.fft2(truth)
    error = torch.fft.fft2(made) - spectrum
    kz, kx = torch.meshgrid(*2 * [torch.fft.fftfreq(SIDE)], indexing="ij")
    # A projection at an angle is the line of the spectrum at a right angle to it.
    missing = kz.abs() > math.tan(math.radians(TILT)) * kx.abs()
    missing[0, 0] = False
    disc = torch.hypot(kz, kx) < 0.5
    return tuple(  # type: ignore[return-value]
        float((error[..., m].abs().square().sum() / _power(spectrum[..., m])).sqrt())
        for m in (missing & disc, ~missing & disc)
    )


def _power(spectrum: Tensor) -> Tensor:
    return spectrum.abs().square().sum()
