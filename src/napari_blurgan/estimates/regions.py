"""The parts of the images that are examined before a training."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.estimates.blocks import blocks_of
from napari_blurgan.preparation.site import Site

__all__ = ["REGION", "middle_of", "regions_of"]

REGION = (48, 96, 96)
"""Largest part of an image that is examined."""

IMAGES = 2
"""Number of images that are examined."""


def middle_of(shape: Sequence[int], largest: Sequence[int]) -> tuple[slice, ...]:
    """Return the middle of an image, ([z,] y, x), no larger than `largest`, (z, y, x).

    That of a plane is a square of as many pixels.
    """
    if len(shape) == 2:
        largest = (math.isqrt(math.prod(largest)),) * 2
    pairs = zip(shape, largest, strict=True)
    starts = [(max(0, (n - most) // 2), min(n, most)) for n, most in pairs]
    return tuple(slice(start, start + size) for start, size in starts)


def regions_of(site: Site) -> list[NDArray[np.float32]]:
    """Return the middles of some images, ([z,] y, x) each, normalised."""
    blocks = blocks_of(site.y, site.recipe.dims, IMAGES)
    levels = site.calibration.y
    return [levels.apply(_middle(block[0])) for _, _, block in blocks]


def _middle(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(image[middle_of(image.shape, REGION)])
