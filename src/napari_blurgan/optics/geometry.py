"""Moving, cropping and resampling arrays whose centre is the voxel ``n // 2``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import CubicSpline

from napari_blurgan.checks import VOXEL_RANGE, span
from napari_blurgan.errors import OpticsError

__all__ = [
    "MOST_VOXELS",
    "centre_core",
    "centroid",
    "checked_shape",
    "checked_voxel_size",
    "core_centre",
    "fit",
    "resample",
    "rotation_average",
    "support",
]

Triple = tuple[float, float, float]
SPLINE_REACH = 8  # voxels over which the influence of the edge on a spline decays
FINE_GRID = 41  # points per axis over the core
MOST_VOXELS = 2**27
"""Largest number of voxels of a computed or resampled PSF; typical ones have a
hundredth."""


def checked_voxel_size(values: Sequence[float]) -> tuple[float, float, float]:
    """Return `values` as three floats in `VOXEL_RANGE`, or raise `OpticsError`."""
    try:
        z, y, x = (float(value) for value in values)
    except (TypeError, ValueError, OverflowError):
        z = y = x = np.nan
    if not all(VOXEL_RANGE[0] <= v <= VOXEL_RANGE[1] for v in (z, y, x)):
        raise OpticsError(
            "a voxel size is three positive numbers, (z, y, x) in µm, each "
            f"{span(*VOXEL_RANGE)}; found {values}"
        )
    return z, y, x


def checked_shape(shape: Sequence[int]) -> tuple[int, int, int]:
    """Return `shape` as three sizes, or raise `OpticsError`."""
    try:
        sizes = list(shape) if isinstance(shape, Iterable) else []
    except TypeError:  # an array without axes
        sizes = []
    if len(sizes) != 3 or not all(
        isinstance(n, int | np.integer) and n > 0 for n in sizes
    ):
        raise OpticsError(f"a PSF's shape is three sizes (z, y, x); found {shape}")
    z, y, x = (int(n) for n in sizes)
    return z, y, x


def centroid(data: NDArray[Any]) -> Triple:
    """Return the centre of mass as (z, y, x) voxels away from ``n // 2``."""
    z, y, x = (
        float(c) - n // 2
        for c, n in zip(ndimage.center_of_mass(data), data.shape, strict=True)
    )
    return z, y, x


def fit(data: NDArray[Any], shape: Sequence[int] | NDArray[Any]) -> NDArray[Any]:
    """Crop or pad with zeros to `shape`, voxel ``n // 2`` staying the centre."""
    before = [int(m) // 2 - n // 2 for n, m in zip(data.shape, shape, strict=True)]
    source = tuple(
        slice(max(-b, 0), min(int(m) - b, n))
        for b, n, m in zip(before, data.shape, shape, strict=True)
    )
    target = tuple(
        slice(s.start + b, s.stop + b) for s, b in zip(source, before, strict=True)
    )
    out = np.zeros([int(m) for m in shape], data.dtype)
    out[target] = data[source]
    return out


def support(data: NDArray[Any], energy: float) -> tuple[int, ...]:
    """Return the odd box that leaves out at most ``(1 - energy) / 3`` per axis."""
    total = data.sum(dtype=np.float64)
    sizes = []
    for axis, n in enumerate(data.shape):
        others = tuple(a for a in range(data.ndim) if a != axis)
        marginal = data.sum(axis=others, dtype=np.float64) / total
        distance = abs(np.arange(n) - n // 2)
        within = np.cumsum(np.bincount(distance, weights=marginal))
        enough = within >= 1 - (1 - energy) / data.ndim - 1e-12
        sizes.append(min(2 * int(enough.argmax()) + 1, n) if enough.any() else n)
    return tuple(sizes)


def centre_core(data: NDArray[Any]) -> tuple[NDArray[np.float64], Triple]:
    """Move the core of the peak to ``n // 2``; return the result and the shift."""
    z, y, x = (n // 2 - c for n, c in zip(data.shape, core_centre(data), strict=True))
    return shift(data, (z, y, x)), (z, y, x)


def core_centre(data: NDArray[Any]) -> Triple:
    """Return the centre (z, y, x) of the core of the main peak, in voxels from 0.

    The core is the connected part above half the maximum; each point has the weight of
    its excess over half. It is computed on a finer grid from a spline, because few
    voxels of a sharp peak are above half.
    """
    coarse = _core(data)
    found = [np.flatnonzero(coarse.any(axis=a)) for a in ((1, 2), (0, 2), (0, 1))]
    starts = [max(int(f[0]) - SPLINE_REACH, 0) for f in found]
    window = tuple(
        slice(s, int(f[-1]) + SPLINE_REACH + 1)
        for s, f in zip(starts, found, strict=True)
    )
    lines = [
        np.linspace(f[0] - s - 1, f[-1] - s + 1, FINE_GRID)
        for s, f in zip(starts, found, strict=True)
    ]
    fine = ndimage.map_coordinates(
        data[window].astype(np.float64),
        np.meshgrid(*lines, indexing="ij"),
        order=5,
        mode="mirror",
    )
    excess = np.where(_core(fine), fine - fine.max() / 2, 0)
    z, y, x = (
        s + float(np.interp(c, np.arange(FINE_GRID), line))
        for s, c, line in zip(
            starts, ndimage.center_of_mass(excess), lines, strict=True
        )
    )
    return z, y, x


def _core(data: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the region above half the maximum connected with the brightest voxel."""
    labels, _ = ndimage.label(data > data.max() / 2)
    return labels == labels[np.unravel_index(int(data.argmax()), data.shape)]


def shift(
    data: NDArray[Any], by: Sequence[float] | NDArray[Any]
) -> NDArray[np.float64]:
    """Shift `data` by (z, y, x) voxels; zeros enter, no negative values arise."""
    values = data.astype(np.float64)
    moved = ndimage.shift(values, by, order=5, mode="grid-constant")
    return np.maximum(moved, 0)


def resample(data: NDArray[Any], old: Triple, new: Triple) -> NDArray[np.float64]:
    """Integrate over voxels of the size `new`; axes of length one are unchanged."""
    result = data.astype(np.float64)
    for axis, n in enumerate(data.shape):
        if n > 1 and not np.isclose(old[axis], new[axis], rtol=1e-9):
            result = _resample_axis(result, axis, old[axis], new[axis])
    return np.maximum(result, 0)


def _resample_axis(
    data: NDArray[np.float64], axis: int, old: float, new: float
) -> NDArray[np.float64]:
    n = data.shape[axis]
    edges = (np.arange(n + 1) - n // 2 - 0.5) * old
    m = 2 * int(np.ceil(max(-edges[0], edges[-1]) / new - 0.5 - 1e-9)) + 1
    new_edges = (np.arange(m + 1) - m // 2 - 0.5) * new
    first = np.zeros_like(data.take([0], axis))
    integral = np.concatenate([first, data.cumsum(axis)], axis)
    spline = CubicSpline(edges, integral, axis=axis, bc_type="natural")
    return np.diff(spline(new_edges.clip(edges[0], edges[-1])), axis=axis)


def rotation_average(
    data: NDArray[Any], pixel: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the mean over all rotations about the z axis through ``n // 2``.

    Parameters
    ----------
    data : ndarray
        (z, y, x).
    pixel : tuple of float
        Sizes of a pixel along y and x, in one unit.
    """
    centre = [n // 2 for n in data.shape[1:]]
    y, x = (
        (np.arange(n) - c) * size
        for n, c, size in zip(data.shape[1:], centre, pixel, strict=True)
    )
    radius = np.hypot(y[:, None], x)
    radii = np.linspace(0, radius.max(), 2 * max(data.shape[1:]) + 1)
    angles = np.linspace(0, 2 * np.pi, 4 * max(data.shape[1:]), endpoint=False)
    ring = np.stack([np.sin(angles), np.cos(angles)])[:, None] * radii[:, None]
    points = ring / np.array(pixel)[:, None, None] + np.array(centre)[:, None, None]
    inside = np.all(
        (points >= 0) & (points <= np.array(data.shape[1:])[:, None, None] - 1), axis=0
    )
    weights = inside / np.maximum(inside.sum(axis=1, keepdims=True), 1)
    profiles = [_ring_means(plane, points, weights) for plane in data]
    spline = CubicSpline(radii, np.stack(profiles), axis=1)
    return np.maximum(spline(radius), 0)


def _ring_means(
    plane: NDArray[Any], points: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    values = ndimage.map_coordinates(
        plane.astype(np.float64), points, order=3, mode="mirror"
    )
    return (values * weights).sum(axis=1)
