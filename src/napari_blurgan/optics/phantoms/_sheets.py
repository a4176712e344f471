"""Membranes: curved sheets, the level sets of a smooth random field."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.optics.phantoms._grid import (
    Array,
    Grid,
    RandomField,
    block_mean,
    check_positive,
    coverage,
)

__all__ = ["membranes"]


def membranes(
    shape: Sequence[int],
    voxel_size: Sequence[float],
    *,
    seed: int,
    density: float = 1.0,
    thickness: float | None = None,
    radius: float = 2.0,
) -> NDArray[np.float32]:
    """Draw folded membranes.

    Parameters
    ----------
    shape : sequence of int
        (z, y, x) or (y, x).
    voxel_size : sequence of float
        (z, y, x) in micrometres.
    seed : int
        Of the random numbers.
    density : float
        Membrane area in the field, relative to the usual area.
    thickness : float, optional
        Of the membrane, in micrometres; two in-plane voxels by default.
    radius : float
        Typical radius of curvature in micrometres at density one.

    Returns
    -------
    ndarray of float32
        Labelled density in [0, 1]: 0.3 to 1 in the membrane.

    Raises
    ------
    OpticsError
        If the shape, the voxel size or an option is impossible.
    """
    grid = Grid.of(shape, voxel_size)
    wall = 2 * grid.in_plane if thickness is None else thickness
    check_positive(density=density, thickness=wall, radius=radius)
    rng = np.random.default_rng(seed)
    # The area of a level set is inversely proportional to the scale of the field.
    sheet = RandomField.draw(rng, grid.ndim, radius / density)
    label = RandomField.draw(rng, grid.ndim, radius)
    fine = grid.refined(split := grid.split(wall))
    image = _draw_sheet(fine, sheet, wall) * _level(label(fine.axes()))
    return block_mean(image, split).reshape(tuple(shape)).astype(np.float32)


def _draw_sheet(grid: Grid, field: RandomField, wall: float) -> Array:
    axes = grid.axes()
    distance = np.abs(field(axes)) / (field.slope(axes) + 1e-12)
    return coverage(distance - wall / 2, float(grid.voxel.mean()))


def _level(values: Array) -> Array:
    return np.clip(0.7 + 0.2 * values, 0.3, 1.0)
