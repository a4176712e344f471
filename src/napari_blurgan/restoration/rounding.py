"""From float32 to the pixel type of the result, counting clipped voxels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_blurgan.errors import DataError

__all__ = ["Rounding", "result_dtype"]

FLOATS = ("float32", "float64")


def result_dtype(dtype: DTypeLike | None, source: DTypeLike) -> np.dtype[Any]:
    """Return the pixel type of a result.

    Parameters
    ----------
    dtype : dtype-like or None
        What was asked for: None is float32, ``"source"`` that of the source.
    source : dtype-like
        Pixel type of the source.

    Raises
    ------
    DataError
        If it is no integer of up to 32 bits, float32 or float64.
    """
    try:
        if isinstance(dtype, str) and dtype in ("", "source"):
            dtype = source if dtype else "an empty text"  # numpy takes it for float64
        wanted = np.dtype(np.float32 if dtype is None else dtype)
    except (TypeError, ValueError, SyntaxError):  # numpy parses lists of fields
        raise DataError(
            f"there is no pixel type {dtype!r}; expected float32, uint16 or source"
        ) from None
    integer = wanted.kind in "iu" and wanted.itemsize <= 4
    if not (integer or wanted.name in FLOATS):
        raise DataError(
            f"a result cannot be {wanted.name}; expected float32, float64 or an "
            "integer of up to 32 bits"
        )
    return wanted.newbyteorder("=")


class Rounding:
    """Rounds to the nearest integer; clips and counts values out of range.

    Parameters
    ----------
    dtype : dtype
        What `result_dtype` returned; floats pass unchanged.

    Attributes
    ----------
    below, above : int
        Voxels so far that were clipped to the lowest and the highest value.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.below = 0
        self.above = 0

    def __call__(self, block: NDArray[np.float32]) -> NDArray[Any]:
        """Return `block` in the dtype of the result.

        Raises
        ------
        DataError
            If it holds NaN or infinite values: no result is better than that.
        """
        if not np.isfinite(block).all():
            raise DataError(
                "the model produced NaN or infinite values for this image; is it "
                "like the images it was trained on?"
            )
        if self.dtype.kind == "f":
            return block.astype(self.dtype, copy=False)
        limits = np.iinfo(self.dtype)
        # float32 cannot represent 2³² - 1: round and compare in float64.
        rounded = np.rint(block, dtype=np.float64)
        self.below += int(np.count_nonzero(rounded < limits.min))
        self.above += int(np.count_nonzero(rounded > limits.max))
        return rounded.clip(limits.min, limits.max).astype(self.dtype)
