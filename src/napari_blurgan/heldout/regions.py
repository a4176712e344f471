"""The parts of the images that are examined before a training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.regions import check_finite, read_region
from napari_blurgan.data.stack import Stack
from napari_blurgan.preparation.site import Site

__all__ = ["REGION", "middle_of", "region_of", "regions_of"]

REGION = (48, 96, 96)
"""Largest part of an image that is examined."""

IMAGES = 2
"""Number of images that are examined."""

PLACES = (0.5, 0.0, 1.0)
"""Where the parts of a large field may lie, from one border (0) to the other (1)."""


def middle_of(shape: Sequence[int], largest: Sequence[int]) -> tuple[slice, ...]:
    """Return the middle of an image, ([z,] y, x), no larger than `largest`, (z, y, x).

    That of a plane is a square of as many pixels.
    """
    size = _size(shape, largest)
    starts = [(n - k) // 2 for n, k in zip(shape, size, strict=True)]
    return tuple(slice(start, start + k) for start, k in zip(starts, size, strict=True))


def regions_of(site: Site, images: int = IMAGES) -> list[NDArray[np.float32]]:
    """Return parts of some images, ([z,] y, x) each, normalised.

    Of the middle and the borders of a large field, the part with most structure.
    """
    dims, levels = site.recipe.dims, site.calibration.y
    known = [(stack, time) for stack in site.y for time in range(stack.size("T"))]
    chosen = np.unique(np.linspace(0, len(known) - 1, images).round().astype(int))
    parts = [max(_parts(known[n], dims), key=np.std) for n in chosen]
    return [np.ascontiguousarray(levels.apply(part)) for part in parts]


def region_of(site: Site) -> NDArray[np.float32]:
    """Return such a part of the first image."""
    return regions_of(site, 1)[0]


def _parts(image: tuple[Stack, int], dims: int) -> Iterator[NDArray[np.float32]]:
    """Yield the parts of one image that may be examined, the middle first."""
    stack, time = image
    whole = stack.spatial_shape
    size = (1,) * (len(whole) - dims) + _size(whole[-dims:], REGION)
    spare = [n - k for n, k in zip(whole, size, strict=True)]
    shares = [PLACES if room else (0.5,) for room in spare[-2:]]
    for share in product(*shares):
        places = zip(spare, (0.5, *share)[-len(spare) :], strict=True)
        corner = [int(room * part) for room, part in places]
        block = read_region(stack, time, corner, size, range(stack.channels))
        check_finite(block, stack, time, corner)
        yield block[0].reshape(size[-dims:])


def _size(shape: Sequence[int], largest: Sequence[int]) -> tuple[int, ...]:
    if len(shape) == 2:
        largest = (math.isqrt(math.prod(largest)),) * 2
    return tuple(min(n, most) for n, most in zip(shape, largest, strict=True))
