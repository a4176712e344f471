"""The toy staining task: grey fields of cells, and the same fields in colour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_blurgan.optics.phantoms import stained_cells

SIDE = 64
IMAGES = 300
FEW, MANY = (2, 4), (4, 7)
ALPHA, BETA = 0.265, 0.82
"""Half-way between the background and the cytoplasm of the phantom, channel mean."""

NOISE = 0.1
"""Standard deviation in the noisy images; the contrast of the cells is 0.4 to 0.7."""


@dataclass(frozen=True)
class Task:
    """Two modalities of the same fields, and what is content in the second.

    Parameters
    ----------
    given : dict
        Changes to the recipe.
    see : callable
        Returns the two images, (y, x[, 3]), of a field with some cells and a seed.
    content : callable
        Returns the content of images of the second kind, (n, y, x[, 3]).
    """

    given: dict[str, Any]
    see: Callable[[int, tuple[int, int]], tuple[np.ndarray, np.ndarray]]
    content: Callable[[np.ndarray], np.ndarray]


def stained(seed: int, count: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    drawn = stained_cells((SIDE, SIDE), seed=seed, count=count)
    return drawn.grey, drawn.colour


def denoised(seed: int, count: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    clean = stained_cells((SIDE, SIDE), seed=seed, count=count, noise=0.0).grey
    noise = np.random.default_rng(10**6 + seed).normal(0, NOISE, clean.shape)
    return (clean + noise).astype(np.float32), clean


TASKS = {
    "stain": Task(
        {"saliency.beta": BETA, "saliency.bright_background_b": True},
        stained,
        lambda colour: colour.mean(-1) < BETA,
    ),
    "denoise": Task({"saliency.beta": ALPHA}, denoised, lambda clean: clean > ALPHA),
}


def images(
    task: Task, count: int, cells: tuple[int, int], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return both modalities of some fields."""
    pairs = [task.see(1000 * seed + n, cells) for n in range(count)]
    first, second = zip(*pairs, strict=True)
    return np.stack(first), np.stack(second)
