"""Arrays of any type to what can be deconvolved, and what was found in them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_blurgan.errors import DataError

__all__ = ["as_frame"]


def as_frame(
    image: ArrayLike, signed: bool = False
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Return an image as float32, and what its user should know about it, in words.

    Negative values, which no light makes, count as zero in methods for counts (not
    `signed`); saturated pixels are taken at their value, so that intensities there come
    out too low. Both are noted.

    Raises
    ------
    DataError
        If the image is empty, not real, or holds NaN or infinite values.
    """
    pixels = np.asarray(image)
    if pixels.size == 0:
        raise DataError(f"the image is empty, its shape is {pixels.shape}")
    if pixels.dtype.kind not in "buif":
        raise DataError(f"pixels are real numbers, found {pixels.dtype}")
    with np.errstate(over="ignore"):
        frame = np.ascontiguousarray(pixels, dtype=np.float32)
    if not np.isfinite(frame).all():
        bad = int(pixels.size - np.isfinite(frame).sum())
        raise DataError(
            f"{bad} of {pixels.size} voxels are NaN, infinite or beyond float32; "
            "replace them first, for example by the median of their neighbours"
        )
    found = (None if signed else _negative(frame), _saturated(pixels))
    return frame, tuple(note for note in found if note)


def _negative(frame: NDArray[np.float32]) -> str | None:
    share = float((frame < 0).mean())
    if share == 0:
        return None
    return (
        f"{share:.1%} of the voxels are negative and count as zero; rather deconvolve "
        "the image as it was recorded, and give its background"
    )


def _saturated(pixels: NDArray[Any]) -> str | None:
    if pixels.dtype.kind not in "ui":
        return None
    top = np.iinfo(pixels.dtype).max
    share = float((pixels == top).mean())
    if share == 0:
        return None
    return f"{share:.1%} of the voxels are saturated (at {top}): too low in the result"
