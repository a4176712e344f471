"""Microtubules: worm-like chains of finite thickness, single and in bundles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.errors import OpticsError
from napari_blurgan.interruption import heed_stop
from napari_blurgan.optics.phantoms._grid import (
    Array,
    Grid,
    block_mean,
    check_positive,
    coverage,
)

__all__ = ["microtubules", "worm_like_chains"]

# Share of the field that filaments fill at density one: as in a
# well-spread cell, in which single filaments can still be followed.
FILL = {2: 0.12, 3: 0.01}

LENGTH = 15.0
"""Diameter of a filament in micrometres."""


def microtubules(
    shape: Sequence[int],
    voxel_size: Sequence[float],
    *,
    seed: int,
    density: float = 1.0,
    thickness: float | None = None,
    persistence_length: float = 20.0,
    flatness: float = 0.75,
    bundling: float = 0.3,
) -> NDArray[np.float32]:
    """Draw a network of microtubules.

    Parameters
    ----------
    shape : sequence of int
        (z, y, x) or (y, x).
    voxel_size : sequence of float
        (z, y, x) in micrometres.
    seed : int
        Of the random numbers.
    density : float
        Number of filaments, relative to the usual number.
    thickness : float, optional
        Diameter of a filament in micrometres; two in-plane voxels by default. It
        does not change where the filaments are.
    persistence_length : float
        Micrometres. In cells the apparent one is far below the millimetres of free
        microtubules.
    flatness : float
        0 lets filaments run in any direction, 1 keeps them in the plane.
    bundling : float
        Part of the filaments that run along another one, 0 to 1.

    Returns
    -------
    ndarray of float32
        Labelled density in [0, 1]: 0.4 to 1 on a filament, which varies along it by
        up to a quarter.

    Raises
    ------
    OpticsError
        If the shape, the voxel size or an option is impossible, or the filament is
        thinner than a voxel is wide.
    """
    grid = Grid.of(shape, voxel_size)
    diameter = 2 * grid.in_plane if thickness is None else thickness
    check_positive(density=density, persistence_length=persistence_length)
    _check_parts(flatness, bundling)
    _check_diameter(diameter, grid)
    rng = np.random.default_rng(seed)
    step = grid.in_plane / 2
    count = _usual_number(grid, LENGTH, density)
    chains = worm_like_chains(
        rng, grid, count, LENGTH, step, persistence_length, flatness
    )
    chains = _bundle(rng, chains, bundling, spacing=1.5 * grid.in_plane)
    brightness = _brightness(rng, chains.shape[:2], step)
    fine = grid.refined(split := grid.split(diameter))
    points = chains.reshape(-1, grid.ndim)
    image = _draw_tubes(fine, points, brightness.ravel(), diameter / 2)
    return block_mean(image, split).reshape(tuple(shape)).astype(np.float32)


def _check_parts(flatness: float, bundling: float) -> None:
    if not (0 <= flatness <= 1 and 0 <= bundling <= 1):
        raise OpticsError(
            f"flatness and bundling are parts, 0 to 1; found {flatness:g} and "
            f"{bundling:g}"
        )


def _check_diameter(diameter: float, grid: Grid) -> None:
    if diameter < grid.in_plane:
        raise OpticsError(
            f"filaments of {diameter:g} µm are thinner than a voxel of "
            f"{grid.in_plane:g} µm: use a smaller voxel or a larger thickness"
        )


def worm_like_chains(
    rng: np.random.Generator,
    grid: Grid,
    count: int,
    length: float,
    step: float,
    persistence_length: float,
    flatness: float = 0.0,
) -> Array:
    """Return the points of worm-like chains in and around a field.

    The direction diffuses along the chain: over a path s each perpendicular component
    of the angle gains the variance s / P (P: persistence length), so that in 3D the
    mean cosine of the angle between two tangents is exp(-s / P) [Kratky and Porod,
    1949].

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the random numbers.
    grid : Grid
        The field; chains have their middles in it or half a length around it, the
        first one in it.
    count : int
        Number of chains.
    length, step, persistence_length : float
        Micrometres.
    flatness : float
        1 keeps the chains in the plane.

    Returns
    -------
    ndarray
        (count, points, ndim) in micrometres.
    """
    stretch = np.ones(grid.ndim)
    if grid.ndim == 3:
        stretch[0] = 1 - flatness
    middle = grid.scatter(rng, count, length / 2)
    middle[:1] = grid.scatter(rng, 1, 0.0)
    direction = _unit(rng.normal(size=(count, grid.ndim)) * stretch)
    half = max(int(length / step / 2), 1)
    kick = np.sqrt(step / persistence_length) * stretch
    arms = [
        _grow(rng, middle, sign * direction, half, step, kick) for sign in (-1.0, 1.0)
    ]
    return np.concatenate([arms[0][:, ::-1], middle[:, None], arms[1]], axis=1)


def _grow(
    rng: np.random.Generator,
    start: Array,
    direction: Array,
    steps: int,
    step: float,
    kick: Array,
) -> Array:
    points = np.empty((len(start), steps, start.shape[1]))
    position = start
    for i in range(steps):
        position = position + step * direction
        points[:, i] = position
        direction = _unit(direction + kick * rng.normal(size=direction.shape))
    return points


def _unit(vectors: Array) -> Array:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _usual_number(grid: Grid, length: float, density: float) -> int:
    # Counted for filaments of two voxels, so that the thickness is a free choice.
    cross_section = 2 * grid.in_plane if grid.ndim == 2 else np.pi * grid.in_plane**2
    number = FILL[grid.ndim] * grid.volume(length / 2) / (cross_section * length)
    return max(round(density * number), 1)


def _bundle(
    rng: np.random.Generator, chains: Array, part: float, spacing: float
) -> Array:
    """Make some chains follow another one, at a slowly rotating offset."""
    # At least one chain has to stand alone, to be followed.
    count = min(int(part * len(chains)), len(chains) - 1)
    host = rng.integers(len(chains) - count, size=count)
    turn = np.linspace(0, 2 * np.pi, chains.shape[1])
    angle = turn * rng.uniform(-1, 1, (count, 1)) + rng.uniform(0, 7, (count, 1))
    wave = np.stack([np.cos(angle), np.sin(angle), np.sin(1.3 * angle)], axis=-1)
    bundled = chains.copy()
    bundled[len(chains) - count :] = (
        chains[host] + spacing * wave[..., : chains.shape[2]]
    )
    return bundled


def _brightness(rng: np.random.Generator, shape: tuple[int, ...], step: float) -> Array:
    """Return a brightness for each chain, patchy along it like labelling."""
    level = rng.uniform(0.5, 1.0, (shape[0], 1))
    path = step * np.arange(shape[1])
    period = rng.uniform(0.7, 3.0, (shape[0], 1))
    phase = rng.uniform(0, 2 * np.pi, (shape[0], 1))
    return level * (0.875 + 0.125 * np.sin(2 * np.pi * path / period + phase))


def _draw_tubes(grid: Grid, points: Array, brightness: Array, radius: float) -> Array:
    edge = float(grid.voxel.mean())
    reach = radius + edge
    inside = np.all((points > -reach) & (points < grid.extent + reach), axis=1)
    points, brightness = points[inside], brightness[inside]
    image = np.zeros(grid.shape)
    offsets = _ball(reach + 0.5 * float(np.linalg.norm(grid.voxel)), grid.voxel)
    for start in range(0, len(points), 20_000):
        heed_stop()
        part = slice(start, start + 20_000)
        _stamp(image, grid, points[part], brightness[part], radius, edge, offsets)
    return image


def _ball(reach: float, voxel: Array) -> NDArray[np.int64]:
    """Return the voxel offsets (n, ndim) within `reach` micrometres."""
    lines = [np.arange(-int(reach / v), int(reach / v) + 1) for v in voxel]
    offsets = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1)
    offsets = offsets.reshape(-1, len(voxel))
    return offsets[np.linalg.norm(offsets * voxel, axis=1) <= reach]


def _stamp(
    image: Array,
    grid: Grid,
    points: Array,
    brightness: Array,
    radius: float,
    edge: float,
    offsets: NDArray[np.int64],
) -> None:
    index = np.rint(points / grid.voxel).astype(np.int64)[:, None] + offsets
    distance = np.linalg.norm(index * grid.voxel - points[:, None], axis=-1)
    values = brightness[:, None] * coverage(distance - radius, edge)
    inside = np.all((index >= 0) & (index < grid.shape), axis=-1) & (values > 0)
    np.maximum.at(image, tuple(index[inside].T), values[inside])
