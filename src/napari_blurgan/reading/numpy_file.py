"""numpy's own files (.npy): images without metadata, real or complex."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_blurgan.axes import check_axes, name_axes
from napari_blurgan.data.complex_numbers import in_parts
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError

__all__ = ["read_npy"]


def read_npy(path: Path, axes: str | None = None) -> Stack:
    """Map a file; complex images become two channels, real and imaginary.

    Parameters
    ----------
    path : Path
        One array. Objects, which would have to be unpickled, are refused.
    axes : str, optional
        A letter for each axis of the array; (y, x) or (z, y, x) without.

    Raises
    ------
    DataError
        If it is damaged or holds no numbers.
    AxesError
        If the axes are not known.
    """
    pixels = _mapped(path)
    if pixels.dtype.kind not in "buifc":
        raise DataError(f"{path.name}: holds {pixels.dtype}, expected numbers")
    names = (axes or name_axes(pixels.shape, path.name)).upper()
    check_axes(names, pixels.shape, path.name)
    stack = Stack(pixels, names, name=path.name, metadata={"source": str(path)})
    return in_parts(stack) if pixels.dtype.kind == "c" else stack


def _mapped(path: Path) -> Any:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        said = " ".join(str(error).split())[:200]
        raise DataError(f"{path.name}: is no array of numbers ({said})") from None
    if not isinstance(found, np.ndarray):
        raise DataError(f"{path.name}: holds several arrays, expected one (.npy)")
    return found.astype(found.dtype.newbyteorder("="), copy=False)
