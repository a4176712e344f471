"""Toy cells, parallel projections of them about one axis, and reconstructions.

Torch is imported here, unlike in the other phantoms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn import functional as F

__all__ = [
    "ANGLES",
    "SIDE",
    "TILT",
    "back_projected",
    "cells",
    "measured",
    "missing_views",
    "papoulis",
    "projections",
]

SIDE = 48
ANGLES = tuple(range(-90, 90, 6))
"""Degrees; 0 looks along z."""
TILT = 60
"""Projections are measured up to this angle on both sides."""

STEP = 0.5


def cells(count: int, seed: int) -> Tensor:
    """Draw cells with a nucleus and vesicles, (n, y, z, x), no two alike.

    Parameters
    ----------
    count : int
        Of cells, each `SIDE` voxels wide.
    seed : int
        The same seed draws the same cells.
    """
    rng = np.random.default_rng(seed)
    return torch.from_numpy(np.stack([_cell(rng) for _ in range(count)]))


def _cell(rng: np.random.Generator) -> NDArray[np.float32]:
    grid = np.moveaxis(np.indices((SIDE,) * 3) - (SIDE - 1) / 2, 0, -1)
    middle = rng.uniform(-2, 2, 3)
    drawn = 0.4 * _ball(grid, middle, rng.uniform(13, 18, 3))
    drawn += 0.4 * _ball(grid, middle + rng.uniform(-4, 4, 3), rng.uniform(5, 8, 3))
    for _ in range(rng.integers(6, 12)):
        place = middle + rng.normal(0, 5, 3)
        drawn += rng.uniform(0.2, 0.6) * _ball(grid, place, rng.uniform(1.2, 2.5, 3))
    return gaussian_filter(drawn, 0.7).astype(np.float32)


def _ball(
    grid: NDArray[np.floating[Any]],
    middle: NDArray[np.float64],
    axes: NDArray[np.float64],
) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = np.square((grid - middle) / axes).sum(-1) < 1
    return inside


def measured() -> list[bool]:
    """Return which of `ANGLES` are measured."""
    return [abs(angle) <= TILT for angle in ANGLES]


def projections(volumes: Tensor, angles: Sequence[float] = ANGLES) -> Tensor:
    """Return sums along parallel lines at each angle, (n, angle, y, s).

    Parameters
    ----------
    volumes : Tensor
        (n, y, z, x), turned about y.
    angles : sequence of float
        Degrees.
    """
    return torch.stack([_turned(volumes, a).sum(-2) for a in angles], 1)


def back_projected(views: Tensor, angles: Sequence[float] = ANGLES) -> Tensor:
    """Return the filtered back-projection of (n, angle, y, s), as (n, y, z, x).

    Every angle counts for the same share of a half turn: those that are left out stay
    without their share.

    Parameters
    ----------
    views : Tensor
        Projections.
    angles : sequence of float
        Degrees, one for each of them.
    """
    frequencies = torch.fft.rfftfreq(2 * SIDE)
    spectra = torch.fft.rfft(F.pad(views, (0, SIDE)), dim=-1)
    filtered = torch.fft.irfft(2 * frequencies * spectra, dim=-1)[..., :SIDE]
    total = torch.zeros(len(views), SIDE, SIDE, SIDE)
    for number, angle in enumerate(angles):
        smeared = filtered[:, number, :, None, :].expand(-1, -1, SIDE, -1)
        total += _turned(smeared, -angle)
    return total * math.pi / (2 * len(ANGLES))


def papoulis(
    views: Tensor,
    angles: Sequence[float],
    rounds: int,
    start: Tensor | None = None,
) -> Tensor:
    """Reconstruct positive cells, in the manner of Gerchberg and Papoulis.

    In each round, half of what projections lack is back-projected, and what is negative
    becomes zero. With a whole step, and with all projections put together and
    back-projected anew, rounds diverge from the tenth on.

    Parameters
    ----------
    views : Tensor
        (n, angle, y, s).
    angles : sequence of float
        Degrees, one for each of them.
    rounds : int
        How many.
    start : Tensor, optional
        (n, y, z, x), the filtered back-projection by default.

    Returns
    -------
    Tensor, (n, y, z, x)
    """
    made = (back_projected(views, angles) if start is None else start).clamp_min(0)
    for _ in range(rounds):
        lacking = views - projections(made, angles)
        made = (made + STEP * back_projected(lacking, angles)).clamp_min(0)
    return made


def missing_views(
    count: int, seed: int, rounds: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return projections to learn from, each (n, y, s), of two groups of cells.

    Parameters
    ----------
    count : int
        Of cells in each group.
    seed : int
        Of the cells.
    rounds : int
        Of `papoulis`.

    Returns
    -------
    bad, good : ndarray
        Of reconstructions at angles that were not measured, and of other cells at those
        that were.
    """
    seen = measured()
    angles = [a for a, known in zip(ANGLES, seen, strict=True) if known]
    others = [a for a, known in zip(ANGLES, seen, strict=True) if not known]
    drawn = cells(2 * count, seed)
    one, two = drawn[:count], drawn[count:]
    made = papoulis(projections(one, angles), angles, rounds)
    bad, good = projections(made, others), projections(two, angles)
    return bad.flatten(0, 1).numpy(), good.flatten(0, 1).numpy()


def _turned(volumes: Tensor, angle: float) -> Tensor:
    """Turn (n, y, z, x) in the plane of z and x."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    matrix = torch.tensor([[cos, -sin, 0.0], [sin, cos, 0.0]])
    shape = list(volumes.shape)
    grid = F.affine_grid(matrix.expand(len(volumes), 2, 3), shape, align_corners=False)
    return F.grid_sample(volumes, grid, align_corners=False)
