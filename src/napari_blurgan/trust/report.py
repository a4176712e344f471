"""Summary of evidence maps: three numbers, and the position of the largest misfit."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from napari_blurgan.data.stack import Stack
from napari_blurgan.trust.expectation import Levels
from napari_blurgan.trust.support import CLEAR

__all__ = ["DOUBTFUL", "Report", "summed_up"]

DOUBTFUL = 0.5
"""Evidence below which light counts as not supported."""


@dataclass(frozen=True)
class Report:
    """Figures of one restoration.

    Attributes
    ----------
    unsupported : float
        Share of the restored light above the noise that the data do not support.
    worst : float
        The largest misfit in standard deviations of the noise; below zero light was
        invented, above zero lost.
    worst_at : tuple of int
        Its place, ([t,] [z,] y, x), counted from 0.
    calibration_error : float
        How far the noise is from what it was taken for, 0 to 1: the mean difference
        between nominal and found coverage of single voxels.
    scale, background, slope, intercept : float
        Units and noise that the maps were made with, see `Levels`.
    """

    unsupported: float
    worst: float
    worst_at: tuple[int, ...]
    calibration_error: float
    scale: float
    background: float
    slope: float
    intercept: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, for JSON."""
        return asdict(self) | {"worst_at": list(self.worst_at)}

    def __str__(self) -> str:
        kind = "invented" if self.worst < 0 else "lost"
        place = ", ".join(map(str, self.worst_at))
        return (
            f"not supported by the data: {self.unsupported:.1%} of the restored light\n"
            f"largest misfit: {self.worst:+.1f} σ ({kind}) at {place}\n"
            f"calibration error of the noise: {self.calibration_error:.1%}"
        )


def summed_up(maps: Stack, restored: Stack, levels: Levels, coverage: float) -> Report:
    """Return the figures of maps, read plane by plane.

    Parameters
    ----------
    maps : Stack
        (c, [t,] [z,] y, x): evidence, residual, light and others.
    restored : Stack
        ([t,] [z,] y, x).
    levels : Levels
        Written down with the figures.
    coverage : float
        The calibration error.
    """
    everything = doubted = 0.0
    worst, at = 0.0, (0,) * restored.ndim
    for place in np.ndindex(*restored.shape[:-2]):
        found = dict(zip(restored.axes, place, strict=False))
        index = tuple(found.get(axis, slice(None)) for axis in maps.axes)
        evidence, residual, light = np.asarray(maps.data[index])[:3]
        values = np.maximum(np.asarray(restored.data[place]), 0)
        clear = light > CLEAR
        everything += float(values[clear].sum(dtype=np.float64))
        doubted += float(values[clear & (evidence < DOUBTFUL)].sum(dtype=np.float64))
        here = np.unravel_index(np.abs(residual).argmax(), residual.shape)
        if abs(residual[here]) > abs(worst):
            worst, at = float(residual[here]), (*place, *map(int, here))
    share = doubted / everything if everything else 0.0
    return Report(share, worst, at, coverage, **asdict(levels))
