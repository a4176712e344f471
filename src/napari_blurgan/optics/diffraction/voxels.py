"""From a table over (z, r) to voxels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from napari_blurgan.interruption import heed_stop

__all__ = ["fill_voxels"]

Array = NDArray[np.float64]


def fill_voxels(
    table: Callable[[Array, Array], Array],
    radii: Array,
    shape: Sequence[int],
    voxel_size: Sequence[float],
    finest: tuple[float, float],
) -> Array:
    """Return the mean of a rotationally symmetric function in every voxel.

    A voxel that is small compared with the detail of the function is sampled at its
    centre, a larger one integrated with Gauss–Legendre nodes.

    Parameters
    ----------
    table : callable
        (z, radii) -> values over (z, r); lengths in µm.
    radii : ndarray
        Evenly spaced radii from 0 past the corners of the array.
    shape, voxel_size : sequence
        (z, y, x); voxel ``n // 2`` is the origin.
    finest : tuple of float
        Axial and lateral voxel sizes (µm) up to which sampling at the centre will do.
    """
    nodes, weights = _nodes(voxel_size[0], finest[0])
    z = (np.arange(shape[0]) - shape[0] // 2) * voxel_size[0]
    values = table((z[:, None] + nodes).ravel(), radii)
    planes = np.einsum("znr,n->zr", values.reshape(len(z), len(nodes), -1), weights)
    # A function that is symmetric about the axis is flat there.
    spline = CubicSpline(radii, planes, axis=1, bc_type=("clamped", "not-a-knot"))
    quarter = _quarter(spline, shape, voxel_size, finest[1])
    y, x = (abs(np.arange(n) - n // 2) for n in shape[1:])
    return quarter[:, y[:, None], x]


def _quarter(
    spline: CubicSpline,
    shape: Sequence[int],
    voxel_size: Sequence[float],
    finest: float,
) -> Array:
    """Fill the voxels from the axis outwards; the others are mirrored."""
    y, x = (
        np.arange(n // 2 + 1) * v
        for n, v in zip(shape[1:], voxel_size[1:], strict=True)
    )
    (dy, wy), (dx, wx) = (_nodes(v, finest) for v in voxel_size[1:])
    total = np.zeros((shape[0], len(y), len(x)))
    for shift_y, weight_y in zip(dy, wy, strict=True):
        for shift_x, weight_x in zip(dx, wx, strict=True):
            heed_stop()
            radius = np.hypot(y[:, None] + shift_y, x + shift_x)
            total += weight_y * weight_x * spline(radius)
    return np.maximum(total, 0)


def _nodes(size: float, finest: float) -> tuple[Array, Array]:
    if size <= finest:
        return np.zeros(1), np.ones(1)
    x, w = np.polynomial.legendre.leggauss(1 + math.ceil(size / finest))
    return x * size / 2, w / 2
