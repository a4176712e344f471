"""Stacks that are blurred more along z, and how wide thin structures are in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d, shift, zoom

from napari_blurgan import Stack
from napari_blurgan.reading.images import read_stack

Array = NDArray[np.float64]

SHAPE = (64, 96, 96)
VOXEL = 0.1
LATERAL = 1.2
"""Standard deviation of the blur in the planes, in voxels."""
WIDER = 3.0
"""The blur along z to that in the planes."""
STEP = 2
"""Voxels of the truth from plane to plane."""
PHOTONS, OFFSET, READ_NOISE = 300, 100, 2
REACH = 14
"""Voxels on each side of a ridge that are looked at."""


@dataclass(frozen=True)
class Stacked:
    """A stack, and what it would be with the same resolution in all directions.

    Parameters
    ----------
    stack : Stack
        Measured, every second plane.
    truth : ndarray
        On cubic voxels, without noise.
    """

    stack: Stack
    truth: Array


def study(structure: str, seed: int) -> Stacked:
    """Draw hollow spheres ("rims") or filaments, and measure every second plane.

    Parameters
    ----------
    structure : {"rims", "filaments"}
        All are thinner than the blur.
    seed : int
        Of the places and the noise.
    """
    rng = np.random.default_rng(seed)
    drawn = {"rims": _rims, "filaments": _filaments}[structure](rng)
    even = gaussian_filter(drawn, LATERAL)
    truth = PHOTONS * even / np.percentile(even, 99.9)
    more = LATERAL * np.sqrt(WIDER**2 - 1)
    wide = gaussian_filter1d(truth, more, axis=0)[::STEP]
    seen = rng.poisson(wide) + rng.normal(OFFSET, READ_NOISE, wide.shape)
    size = (STEP * VOXEL, VOXEL, VOXEL)
    stack = Stack(seen.astype(np.float32), "ZYX", size, name=structure)
    return Stacked(stack, (truth + OFFSET)[: STEP * (len(wide) - 1) + 1])


def _rims(rng: np.random.Generator) -> Array:
    drawn = np.zeros(SHAPE)
    grid = np.indices(SHAPE)
    for _ in range(16):
        radius = rng.uniform(9, 15)
        centre = [rng.uniform(0.6 * radius, n - 0.6 * radius) for n in SHAPE]
        away = np.sqrt(sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)))
        drawn += rng.uniform(0.5, 1) * np.exp(-((away - radius) ** 2))
    return drawn


def _filaments(rng: np.random.Generator) -> Array:
    drawn = np.zeros(SHAPE)
    for number in range(60):
        along = rng.standard_normal(3)
        if number % 3 == 0:
            along = np.eye(3)[1 + number % 2]
        along /= np.linalg.norm(along)
        through = rng.uniform(0, SHAPE)
        places = through + np.arange(-140, 140, 0.4)[:, None] * along
        inside = ((places > 0) & (places < np.array(SHAPE) - 1)).all(1)
        voxels = np.round(places[inside]).astype(int)
        np.add.at(drawn, tuple(voxels.T), rng.uniform(0.5, 1))
    return drawn


def interpolated(stack: Stack, order: int) -> Array:
    """Return a stack on cubic voxels, by splines of an order along z."""
    planes = np.asarray(stack.data, np.float64)
    count = STEP * (len(planes) - 1) + 1
    return zoom(planes, (count / len(planes), 1, 1), order=order, grid_mode=False)


def erythrocytes(folder: Path) -> Stack:
    """Return the membranes of red blood cells, a lattice light sheet, deskewed.

    Every plane is moved by 1.79 pixels more along y than the one before, and lies 0.15
    micrometres deeper: then z is the direction of detection.
    """
    name = "G_real/B_stacks3d/rbc_lattice_lightsheet_raw_2.ome.tif"
    raw = np.asarray(read_stack(folder / name).data, np.float32)[:80]
    skew, size = 1.79, 0.145
    extra = int(np.ceil(skew * (len(raw) - 1)))
    wide = np.pad(raw, ((0, 0), (0, extra), (0, 0)), mode="edge")
    moved = [
        shift(p, (skew * n, 0), order=1, mode="nearest") for n, p in enumerate(wide)
    ]
    return Stack(np.stack(moved), "ZYX", (0.15, size, size), name="red blood cells")


def width(volume: Array, axis: int, thin: str = "sheet") -> tuple[float, int]:
    """Return the median full width of ridges across an axis, and their number.

    Parameters
    ----------
    volume : ndarray
        (z, y, x), cubic voxels.
    axis : int
        Across the ridges.
    thin : {"sheet", "line"}
        Whether ridges are sheets, whose curvature is across alone, or lines, which run
        along y or x.
    """
    smooth = gaussian_filter(volume, 1.0)
    curved = [-np.gradient(np.gradient(smooth, axis=a), axis=a) for a in range(3)]
    others = [a for a in range(3) if a != axis]
    flat = [np.abs(curved[a]) < 0.25 * curved[axis] for a in others]
    straight = flat[0] & flat[1] if thin == "sheet" else flat[0] | flat[1]
    lower, upper = np.roll(smooth, 1, axis), np.roll(smooth, -1, axis)
    low, high = np.percentile(smooth, [20, 99.5])
    ridge = (smooth >= lower) & (smooth > upper) & straight
    ridge &= smooth > low + 0.3 * (high - low)
    for a in range(3):
        edge = np.moveaxis(ridge, a, 0)
        margin = REACH + 1 if a == axis else 3
        edge[:margin] = edge[-margin:] = False
    lines = np.moveaxis(volume, axis, -1)
    found = [
        _full_width(lines[i, j], k)
        for i, j, k in zip(*_places(ridge, axis), strict=True)
    ]
    known = [wide for wide in found if wide is not None]
    return (float(np.median(known)) if known else float("nan")), len(known)


def _places(ridge: NDArray[np.bool_], axis: int) -> tuple[NDArray[np.int64], ...]:
    return np.nonzero(np.moveaxis(ridge, axis, -1))


def _full_width(line: Array, peak: int) -> float | None:
    """Return the width at half of the height above the lowest value beside a peak."""
    peak += int(np.argmax(line[peak - 1 : peak + 2])) - 1
    total = 0.0
    for side in (line[peak : peak + REACH], line[peak - REACH + 1 : peak + 1][::-1]):
        half = (side[0] + side.min()) / 2
        below = int(np.argmax(side < half))
        if below == 0:
            return None
        share = (side[below - 1] - half) / (side[below - 1] - side[below])
        total += below - 1 + share
    return total
