"""Vesicles: hollow shells of many sizes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.optics.phantoms._grid import (
    Array,
    Axes,
    Grid,
    check_positive,
    coverage,
    draw_body,
)

__all__ = ["vesicles"]

FILL = {2: 0.15, 3: 0.04}


def vesicles(
    shape: Sequence[int],
    voxel_size: Sequence[float],
    *,
    seed: int,
    density: float = 1.0,
    thickness: float | None = None,
    radius: float = 0.35,
    spread: float = 0.4,
) -> NDArray[np.float32]:
    """Draw vesicles: slightly oval shells whose membrane is labelled.

    Parameters
    ----------
    shape : sequence of int
        (z, y, x) or (y, x).
    voxel_size : sequence of float
        (z, y, x) in micrometres.
    seed : int
        Of the random numbers.
    density : float
        Number of vesicles, relative to the usual number.
    thickness : float, optional
        Of the membrane, in micrometres; two in-plane voxels by default.
    radius : float
        Median outer radius in micrometres.
    spread : float
        Standard deviation of the logarithm of the radius.

    Returns
    -------
    ndarray of float32
        Labelled density in [0, 1]: 0.4 to 1 in the membrane, a tenth of it inside.

    Raises
    ------
    OpticsError
        If the shape, the voxel size or an option is impossible.
    """
    grid = Grid.of(shape, voxel_size)
    wall = 2 * grid.in_plane if thickness is None else thickness
    check_positive(density=density, thickness=wall, radius=radius)
    rng = np.random.default_rng(seed)
    margin = 2 * radius
    body = grid.ball(radius)
    count = max(round(density * FILL[grid.ndim] * grid.volume(margin) / body), 1)
    centres = grid.scatter(rng, count, margin)
    centres[0] = grid.scatter(rng, 1, 0.0)[0]
    radii = radius * np.exp(spread * rng.normal(size=(count, 1)))
    semi_axes = radii * rng.uniform(0.85, 1.15, centres.shape)
    levels = rng.uniform(0.4, 1.0, count)
    image = np.zeros(grid.shape)
    for centre, axes, level in zip(centres, semi_axes, levels, strict=True):
        _draw_vesicle(image, grid, centre, axes, wall, level)
    return image.reshape(tuple(shape)).astype(np.float32)


def _draw_vesicle(
    image: Array, grid: Grid, centre: Array, axes: Array, wall: float, level: float
) -> None:
    def density(offsets: Axes, edge: float) -> Array:
        outside = ellipsoid_distance(offsets, axes)
        shell = coverage(outside, edge) - coverage(outside + wall, edge)
        return level * (shell + 0.1 * coverage(outside + wall, edge))

    draw_body(image, grid, centre, float(axes.max()), wall, density)


def ellipsoid_distance(offsets: Axes, axes: Array) -> Array:
    """Return the distance to an ellipsoid's surface to first order, negative inside.

    Exact for a sphere, and near the surface.
    """
    zero = np.zeros(())
    scaled = sum(((o / a) ** 2 for o, a in zip(offsets, axes, strict=True)), zero)
    slope = sum(((o / a**2) ** 2 for o, a in zip(offsets, axes, strict=True)), zero)
    level = np.sqrt(scaled)
    # At the very centre the gradient vanishes; use another point deep inside.
    centre = -float(np.min(axes))
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = level * (level - 1) / np.sqrt(slope)
    return np.where(slope > 0, distance, centre)
