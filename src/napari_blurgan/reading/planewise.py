"""An array of planes that are decoded on demand, for all formats of files."""

from __future__ import annotations

import math
import uuid
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_blurgan.headers.limits import refuse_beyond_memory
from napari_blurgan.reading.damage import damage_refused
from napari_blurgan.reading.plane_cache import shared_planes

__all__ = ["PlanewiseArray"]


class PlanewiseArray:
    """An image in a file; a plane is decoded when a voxel of it is asked for.

    Decoded planes are cached, see `PlaneCache`. Indices are integers, slices and
    Ellipsis. Formats implement `decoded`.

    Parameters
    ----------
    path : Path
        The file.
    shape : tuple of int
        Of all planes together.
    dtype : data type
        Of the decoded planes, in native byte order.
    samples : int
        Number of values in a plane: those of the last axes.
    """

    def __init__(
        self, path: Path, shape: tuple[int, ...], dtype: DTypeLike, samples: int
    ) -> None:
        self.path = path
        self.origin = str(path)
        """What tells it from other images; formats with several add which one it is."""
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self._leading = len(shape) - _plane_ndim(shape, samples)
        self._owner = uuid.uuid4()
        weakref.finalize(self, shared_planes.forget, self._owner)

    def decoded(self, number: int) -> NDArray[Any]:
        """Return plane `number`, counted over the leading axes; any shape."""
        raise NotImplementedError

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        return np.asarray(self[...], dtype=dtype)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        full = _full_index(index, self.ndim)
        shape, plane_shape = self.shape[: self._leading], self.shape[self._leading :]
        numbers = np.arange(math.prod(shape)).reshape(shape)
        planes = np.asarray(numbers[full[: self._leading]], dtype=np.intp)
        within = full[self._leading :]
        inner = np.broadcast_to(np.uint8(0), plane_shape)[within].shape
        nbytes = math.prod((planes.size, *inner)) * self.dtype.itemsize
        refuse_beyond_memory(nbytes, f"{self.path.name}: to read {planes.size} planes")
        out = np.empty((planes.size, *inner), self.dtype)
        for i, number in enumerate(planes.flat):
            plane = shared_planes.get(self._owner, int(number), self._plane)
            out[i] = plane[within]
        return out.reshape(planes.shape + inner)

    def _plane(self, number: int) -> NDArray[Any]:
        with damage_refused(self.path, f"plane {number} cannot be decoded"):
            plane = self.decoded(number)
            plane = plane.reshape(self.shape[self._leading :])
        plane = plane.astype(self.dtype, copy=False)
        plane.flags.writeable = False
        return plane


def _full_index(index: Any, ndim: int) -> tuple[int | slice, ...]:
    given = index if isinstance(index, tuple) else (index,)
    if not all(isinstance(i, (int, np.integer, slice)) or i is ... for i in given):
        raise TypeError("an image in a file takes integers, slices and Ellipsis")
    if ... not in given:
        given = (*given, ...)
    at = given.index(...)
    missing = ndim - len(given) + 1
    if missing < 0:
        raise IndexError(f"too many indices for {ndim} axes")
    return given[:at] + (slice(None),) * missing + given[at + 1 :]


def _plane_ndim(shape: tuple[int, ...], samples: int) -> int:
    """Return the number of trailing axes that one plane of `samples` values fills."""
    return next(n for n in range(1, len(shape) + 1) if math.prod(shape[-n:]) == samples)
