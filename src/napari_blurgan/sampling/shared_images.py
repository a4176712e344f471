"""The same image twice, in two files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from napari_blurgan.data.regions import read_region
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError

__all__ = ["check_no_shared_images"]

SIDE = 64


def check_no_shared_images(one: Sequence[Stack], other: Sequence[Stack]) -> None:
    """Check that no image of one domain has the pixels of one in the other.

    The middle of each image is compared. Empty middles do not count as equal.

    Raises
    ------
    DataError
        If an image is in both.
    """
    known = {_middle(stack): stack.name for stack in one}
    for stack in other:
        middle = _middle(stack)
        if middle is not None and middle in known:
            raise DataError(
                f"{known[middle]} and {stack.name} have the same pixels, once in each "
                f"domain; an image may be in only one of the two"
            )


def _middle(stack: Stack) -> tuple[object, ...] | None:
    """Return a fingerprint of the middle of an image; None if it is empty."""
    sizes = stack.spatial_shape
    shape = [min(SIDE, n) for n in sizes]
    start = [(n - s) // 2 for n, s in zip(sizes, shape, strict=True)]
    region = read_region(stack, 0, start, shape, range(stack.channels))
    if region.size == 0 or (region == region.flat[0]).all():
        return None
    pixels = hashlib.sha256(np.ascontiguousarray(region).tobytes()).hexdigest()
    return (stack.axes, tuple(stack.data.shape), str(region.dtype), pixels)
