"""Nuclei: ellipsoids with chromatin texture, nucleoli and a brighter rim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.optics.phantoms._grid import (
    Array,
    Axes,
    Grid,
    RandomField,
    check_positive,
    coverage,
    draw_body,
)
from napari_blurgan.optics.phantoms._shells import ellipsoid_distance

__all__ = ["nuclei"]

FILL = {2: 0.35, 3: 0.3}
FLATTENED = 0.75  # height over width: adherent cells have flat nuclei
TRIES = 30


def nuclei(
    shape: Sequence[int],
    voxel_size: Sequence[float],
    *,
    seed: int,
    density: float = 1.0,
    diameter: float = 7.0,
    grain: float = 0.25,
) -> NDArray[np.float32]:
    """Draw nuclei that do not overlap.

    Parameters
    ----------
    shape : sequence of int
        (z, y, x) or (y, x).
    voxel_size : sequence of float
        (z, y, x) in micrometres.
    seed : int
        Of the random numbers.
    density : float
        Number of nuclei, relative to the usual number; there is room for about twice
        as many.
    diameter : float
        Mean diameter in micrometres.
    grain : float
        Size of the finest chromatin texture in micrometres.

    Returns
    -------
    ndarray of float32
        Labelled density in [0, 1].

    Raises
    ------
    OpticsError
        If the shape, the voxel size or an option is impossible.
    """
    check_positive(density=density, diameter=diameter, grain=grain)
    grid = Grid.of(shape, voxel_size)
    rng = np.random.default_rng(seed)
    image = np.zeros(grid.shape)
    for centre, axes in _place(rng, grid, diameter / 2, density):
        nucleus = _Nucleus.draw(rng, axes, grain)
        draw_body(image, grid, centre, 1.2 * axes.max(), 2 * grain, nucleus.density)
    return image.reshape(tuple(shape)).astype(np.float32)


def _place(
    rng: np.random.Generator, grid: Grid, radius: float, density: float
) -> list[tuple[Array, Array]]:
    """Return (centre, semi-axes) of nuclei that do not touch each other."""
    body = grid.ball(radius)
    count = max(round(density * FILL[grid.ndim] * grid.volume(radius) / body), 1)
    placed: list[tuple[Array, Array]] = []
    for number in range(count):
        for _ in range(TRIES):
            centre = grid.scatter(rng, 1, radius if number else 0.0)[0]
            axes = radius * rng.uniform(0.8, 1.2, grid.ndim)
            axes[0] *= FLATTENED if grid.ndim == 3 else 1.0
            if all(_apart(centre, axes, *other) for other in placed):
                placed.append((centre, axes))
                break
    return placed


def _apart(centre: Array, axes: Array, other: Array, other_axes: Array) -> bool:
    return bool(np.linalg.norm((centre - other) / (axes + other_axes)) > 1)


@dataclass(frozen=True)
class _Nucleus:
    axes: Array
    texture: tuple[RandomField, RandomField, RandomField]
    nucleoli: list[tuple[Array, float]]

    @classmethod
    def draw(cls, rng: np.random.Generator, axes: Array, grain: float) -> _Nucleus:
        ndim = len(axes)
        scales = (grain, 2.5 * grain, float(axes.min()) / 2)
        coarse, middle, shape = (RandomField.draw(rng, ndim, s) for s in scales)
        nucleoli = [
            (rng.uniform(-0.5, 0.5, ndim) * axes, rng.uniform(0.15, 0.3) * axes.min())
            for _ in range(rng.integers(1, 4))
        ]
        return cls(axes, (coarse, middle, shape), nucleoli)

    def density(self, offsets: Axes, edge: float) -> Array:
        fine, middle, shape = self.texture
        outline = 0.04 * self.axes.min() * shape(offsets)
        depth = -ellipsoid_distance(offsets, self.axes) + outline
        ripple = middle(offsets)
        chromatin = 0.4 + 0.12 * fine(offsets) + 0.12 * ripple
        chromatin += 0.25 * np.exp(-np.maximum(depth, 0) / 0.3)
        for place, radius in self.nucleoli:
            outside = _distance(offsets, place) - radius * (1 + 0.15 * ripple)
            chromatin = _hollow(chromatin, outside)
        return np.clip(chromatin, 0.05, 1.0) * coverage(-depth, edge)


def _distance(offsets: Axes, place: Array) -> Array:
    squares = [(o - p) ** 2 for o, p in zip(offsets, place, strict=True)]
    return np.sqrt(sum(squares, np.zeros(())))


def _hollow(chromatin: Array, outside: Array) -> Array:
    """Make a nucleolus dark with soft edges, with a little chromatin around it."""
    hole = coverage(outside, 0.3)
    rim = 0.12 * np.exp(-((outside / 0.3) ** 2))
    return (chromatin + rim) * (1 - hole) + 0.12 * hole
