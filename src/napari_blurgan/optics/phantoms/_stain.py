"""Cells in two modalities: dim on dark grey, and stained on bright colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.phantoms._grid import Array, Grid, coverage
from napari_blurgan.optics.phantoms._shells import ellipsoid_distance

__all__ = ["StainedCells", "stained_cells"]

RADII = (5.0, 8.0)
NUCLEUS = 0.45
TRIES = 200

# Colours of background, cytoplasm and nucleus; eosin is pink, haematoxylin violet.
GREY = (0.08, 0.45, 0.8)
COLOUR = ((0.93, 0.87, 0.40), (0.91, 0.55, 0.27), (0.94, 0.72, 0.62))


@dataclass(frozen=True)
class StainedCells:
    """One field in both modalities, and the positions of its cells.

    Parameters
    ----------
    grey : ndarray of float32
        (y, x), as autofluorescence: content is bright, the background dark; 0 to 1.
    colour : ndarray of float32
        (y, x, 3), as a histological stain: content is darker than the background.
    cells : ndarray of bool
        (y, x), whether a pixel lies in a cell.
    """

    grey: NDArray[np.float32]
    colour: NDArray[np.float32]
    cells: NDArray[np.bool_]


def stained_cells(
    shape: Sequence[int],
    *,
    seed: int,
    count: tuple[int, int] = (2, 4),
    noise: float = 0.02,
) -> StainedCells:
    """Draw cells with a nucleus each, in two modalities with opposite contrast.

    A toy task for unpaired transformation: with fewer cells in one domain than in the
    other, a network that only has to fool a discriminator invents some, or inverts.

    Parameters
    ----------
    shape : sequence of int
        (y, x) in pixels; cells have radii of 5 to 8 of them.
    seed : int
        Of the random numbers.
    count : tuple of int
        Fewest and most cells, where there is room for them.
    noise : float
        Standard deviation of the noise in both images.

    Raises
    ------
    OpticsError
        If the shape, the counts or the noise are impossible.
    """
    if not (0 < count[0] <= count[1] and noise >= 0):
        raise OpticsError(
            f"cells need a count (fewest, most) above 0 and noise of at least 0; "
            f"found {count} and {noise}"
        )
    grid = Grid.of(shape, (1.0, 1.0))
    rng = np.random.default_rng(seed)
    body, nucleus = _coverage(rng, grid, int(rng.integers(count[0], count[1] + 1)))
    dim = _mixed(GREY, body, nucleus)
    stain = np.stack([_mixed(levels, body, nucleus) for levels in COLOUR], axis=-1)
    grey, colour = (_noisy(rng, image, noise) for image in (dim, stain))
    return StainedCells(grey, colour, body > 0.5)


def _coverage(rng: np.random.Generator, grid: Grid, count: int) -> tuple[Array, Array]:
    """Return the share of each pixel inside a cell, and inside a nucleus."""
    body, nucleus = np.zeros(grid.shape), np.zeros(grid.shape)
    placed: list[Array] = []
    for _ in range(TRIES):
        centre = rng.uniform(RADII[0], np.array(grid.shape) - RADII[0])
        if any(np.linalg.norm(centre - other) < 2 * RADII[1] for other in placed):
            continue
        placed.append(centre)
        axes = rng.uniform(*RADII, 2)
        offsets = np.meshgrid(
            *(np.arange(n) - c for n, c in zip(grid.shape, centre, strict=True)),
            indexing="ij",
        )
        body = np.maximum(body, coverage(ellipsoid_distance(offsets, axes), 1.0))
        inner = coverage(ellipsoid_distance(offsets, NUCLEUS * axes), 1.0)
        nucleus = np.maximum(nucleus, inner)
        if len(placed) == count:
            break
    return body, nucleus


def _mixed(levels: Sequence[float], body: Array, nucleus: Array) -> Array:
    background, cytoplasm, core = levels
    cell = cytoplasm * (1 - nucleus) + core * nucleus
    return background * (1 - body) + cell * body


def _noisy(rng: np.random.Generator, image: Array, noise: float) -> NDArray[np.float32]:
    drawn = image + noise * rng.standard_normal(image.shape)
    return np.clip(drawn, 0, 1).astype(np.float32)
