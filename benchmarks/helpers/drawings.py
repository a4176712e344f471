"""Structures that are measured with, by name: what the package draws, and others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_blurgan.optics.phantoms import phantom

Image = NDArray[np.float32]
Drawing = Callable[[Sequence[int], Sequence[float], int], Image]


def family(kind: str, **options: Any) -> Drawing:
    """Return what draws a structure of the package."""
    return partial(phantom, kind, **options)


def walls(shape: Sequence[int], voxels: Sequence[float], seed: int) -> Image:
    """Return the walls of a sponge: where a smooth random field is about zero."""
    return (np.abs(_field(shape, voxels, seed, 0.4)) < 0.15).astype(np.float32)


def clouds(shape: Sequence[int], voxels: Sequence[float], seed: int) -> Image:
    """Return light that is log-normal, with lumps of two sizes."""
    large, small = (_field(shape, voxels, seed + n, (0.6, 0.2)[n]) for n in (0, 1))
    return np.exp(large + small)


def _field(
    shape: Sequence[int], voxels: Sequence[float], seed: int, size: float
) -> Image:
    """Return a Gaussian random field with a deviation of one; lumps in micrometres."""
    noise = np.random.default_rng([seed, 11]).normal(size=shape).astype(np.float32)
    smooth = gaussian_filter(noise, [size / v for v in voxels], mode="wrap")
    return smooth / smooth.std()


STRUCTURES: dict[str, Drawing] = {
    "filaments": family("microtubules", density=0.4),
    "shells": family("vesicles"),
    "sheets": family("membranes"),
    "nuclei": family("nuclei", diameter=3.0),
}
"""Structures that the methods were chosen with."""

PROOF: dict[str, Drawing] = {
    "meshwork": family(
        "microtubules", density=1.2, bundling=0.0, persistence_length=3.0
    ),
    "rings": family("vesicles", density=0.5, radius=0.8, spread=0.2),
    "walls": walls,
    "clouds": clouds,
}
"""Structures that nothing was chosen with."""
