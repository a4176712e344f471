"""Beads: uniform spheres at known sub-voxel positions."""

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
from napari_blurgan.optics.phantoms._shells import ellipsoid_distance

__all__ = ["bead_positions", "beads"]

TRIES = 200


def beads(
    shape: Sequence[int],
    voxel_size: Sequence[float],
    *,
    seed: int,
    density: float = 1.0,
    diameter: float = 0.2,
    spacing: float = 2.0,
) -> NDArray[np.float32]:
    """Draw fluorescent beads of one size and brightness.

    Parameters
    ----------
    shape : sequence of int
        (z, y, x) or (y, x).
    voxel_size : sequence of float
        (z, y, x) in micrometres.
    seed : int
        Of the random numbers.
    density : float
        Number of beads, relative to the usual number.
    diameter : float
        Micrometres.
    spacing : float
        Least distance between the centres of two beads, and the scale of the usual
        number: one bead in a cube of twice this size.

    Returns
    -------
    ndarray of float32
        The part of each voxel that lies in a bead, 0 to 1. `bead_positions` with the
        same arguments says where the centres are.

    Raises
    ------
    OpticsError
        If the shape, the voxel size or an option is impossible.
    """
    check_positive(diameter=diameter)
    grid = Grid.of(shape, voxel_size)
    centres = bead_positions(
        shape, voxel_size, seed=seed, density=density, spacing=spacing
    )
    axes = np.full(grid.ndim, diameter / 2)

    def covered(offsets: Axes, edge: float) -> Array:
        return coverage(ellipsoid_distance(offsets, axes), edge)

    image = np.zeros(grid.shape)
    for centre in centres[:, -grid.ndim :] * grid.voxel:
        draw_body(image, grid, centre, diameter / 2, diameter / 4, covered)
    return image.reshape(tuple(shape)).astype(np.float32)


def bead_positions(
    shape: Sequence[int],
    voxel_size: Sequence[float],
    *,
    seed: int,
    density: float = 1.0,
    spacing: float = 2.0,
) -> NDArray[np.float64]:
    """Return the centres of the beads that `beads` draws.

    Parameters
    ----------
    shape, voxel_size, seed, density, spacing
        As for `beads`.

    Returns
    -------
    ndarray of float64
        (beads, z y x) or (beads, y x) in voxels, with fractions; at least one bead.

    Raises
    ------
    OpticsError
        If the shape or voxel size is impossible.
    """
    check_positive(density=density, spacing=spacing)
    grid = Grid.of(shape, voxel_size)
    rng = np.random.default_rng(seed)
    count = max(round(density * grid.volume() / (2 * spacing) ** grid.ndim), 1)
    centres = grid.scatter(rng, 1, 0.0)
    for _ in range(TRIES * count):
        if len(centres) == count:
            break
        candidate = grid.scatter(rng, 1, 0.0)
        if np.linalg.norm(centres - candidate, axis=1).min() >= spacing:
            centres = np.concatenate([centres, candidate])
    positions = centres / grid.voxel
    flat = np.zeros((len(positions), len(tuple(shape)) - grid.ndim))
    return np.concatenate([flat, positions], axis=1)
