"""Identification of an image by its pixels, whatever its name."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence

import numpy as np

from napari_blurgan.data.regions import read_region
from napari_blurgan.data.stack import Stack

__all__ = ["content_digest"]

WHOLE = 2**28
"""Images up to this many bytes are read completely; larger ones are sampled."""
PIECE, PIECES, TIMES = 48, 3, 16
"""Voxels along an axis of a sample; samples along an axis, and time points, at most."""


def content_digest(stack: Stack) -> str:
    """Return the SHA-256 of axes, shape, type and pixels.

    Images of more than 256 MB are sampled by 27 pieces of up to 48³ voxels, from all
    channels of up to 16 time points: corners, middle and in between.

    Parameters
    ----------
    stack : Stack
        With any axes; lazy arrays are read piece by piece.
    """
    pixel_type = np.dtype(stack.data.dtype)
    shape = [int(n) for n in stack.data.shape]
    facts = [stack.axes, shape, pixel_type.name]
    digest = hashlib.sha256(json.dumps(facts).encode())
    channels = range(stack.channels)
    for time, start, size in _pieces(stack, pixel_type.itemsize):
        region = read_region(stack, time, start, size, channels)
        digest.update(np.ascontiguousarray(region).data)
    return digest.hexdigest()


def _pieces(
    stack: Stack, itemsize: int
) -> Iterator[tuple[int, Sequence[int], Sequence[int]]]:
    """Yield time, corner and size of each piece."""
    shape, times = stack.spatial_shape, stack.size("T")
    if int(np.prod(stack.data.shape, dtype=np.int64)) * itemsize <= WHOLE:
        yield from ((time, [0] * len(shape), shape) for time in range(times))
        return
    size = [min(PIECE, n) for n in shape]
    corners = [_spread(n - s + 1, PIECES) for n, s in zip(shape, size, strict=True)]
    for time in _spread(times, TIMES):
        for corner in itertools.product(*corners):
            yield time, corner, size


def _spread(n: int, most: int) -> list[int]:
    """Return up to `most` of n positions, including the first and the last."""
    return sorted({round(p) for p in np.linspace(0, n - 1, min(n, most))})
