"""NIfTI-1 files (.nii, .nii.gz): images of magnetic resonance, real or complex."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from napari_blurgan.axes import VoxelSize, check_axes
from napari_blurgan.data.complex_numbers import in_parts
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.headers.limits import refuse_beyond_memory

__all__ = ["read_nifti"]

HEADER = 348
"""Bytes of the header, which it begins with."""
AXES = "XYZT"
TYPES = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    32: "c8",
    64: "f8",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
    1792: "c16",
}
MICROMETRES = {1: 1e6, 2: 1e3, 3: 1.0}
"""In a metre, a millimetre, a micrometre."""


class Header(NamedTuple):
    """What a header says.

    Attributes
    ----------
    dtype : numpy.dtype
        Of the stored values.
    shape : tuple of int
        (x, y, [z, [t]]), as stored, x fastest.
    voxel_size : tuple of float
        (z, y, x) in micrometres, None where unknown.
    offset : int
        Bytes before the values.
    slope, intercept : float
        What values are multiplied by, and what is added.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    voxel_size: VoxelSize
    offset: int
    slope: float
    intercept: float


def read_nifti(path: Path, axes: str | None = None) -> Stack:
    """Read a file; complex images become two channels, real and imaginary.

    Parameters
    ----------
    path : Path
        One file with header and values. Uncompressed ones are mapped, others are
        decompressed into memory.
    axes : str, optional
        A letter for each axis, (t, z, y, x) in that order without.

    Raises
    ------
    DataError
        If it is damaged, or of another kind.
    AxesError
        If `axes` do not fit.
    """
    packed = path.suffix.lower() == ".gz"
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            header = _header(file.read(HEADER), path.name)
            values = _values(path, file, header, packed)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path.name}: cannot be read ({error!s:.200})") from None
    pixels = values.reshape(header.shape[::-1])
    if (header.slope, header.intercept) != (1.0, 0.0):
        pixels = pixels * np.float32(header.slope) + np.float32(header.intercept)
    names = (axes or AXES[: pixels.ndim][::-1]).upper()
    check_axes(names, pixels.shape, path.name)
    stack = Stack(
        pixels,
        names,
        header.voxel_size,
        name=path.name,
        metadata={"source": str(path), "voxel_size_from": "NIfTI"},
    )
    return in_parts(stack) if pixels.dtype.kind == "c" else stack


def _header(raw: bytes, name: str) -> Header:
    if len(raw) < HEADER or raw[344:348] != b"n+1\0":
        raise DataError(f"{name}: is no NIfTI-1 file with its values (.nii, .nii.gz)")
    order = "<" if struct.unpack_from("<i", raw)[0] == HEADER else ">"
    count, *sizes = struct.unpack_from(f"{order}8h", raw, 40)
    kind = struct.unpack_from(f"{order}h", raw, 70)[0]
    if not 1 <= count <= 7 or min(sizes[:count]) < 1:
        raise DataError(f"{name}: its header is damaged (sizes {sizes})")
    if math.prod(sizes[4:count]) != 1:
        raise DataError(
            f"{name}: has {count} axes ({sizes[:count]}), expected up to four"
        )
    if kind not in TYPES:
        raise DataError(f"{name}: holds values of kind {kind}, expected numbers")
    shape = sizes[: min(count, 4)]
    while len(shape) > 2 and shape[-1] == 1:
        shape.pop()
    lengths = struct.unpack_from(f"{order}8f", raw, 76)[1:]
    offset, slope, intercept = struct.unpack_from(f"{order}3f", raw, 108)
    scaled = math.isfinite(slope) and slope != 0 and math.isfinite(intercept)
    if not HEADER <= offset < 2**40:
        raise DataError(f"{name}: its header is damaged (values at {offset})")
    return Header(
        np.dtype(order + TYPES[kind]),
        tuple(shape),
        _voxel_size(lengths, raw[123] & 7, len(shape)),
        int(offset),
        slope if scaled else 1.0,
        intercept if scaled else 0.0,
    )


def _voxel_size(lengths: tuple[float, ...], unit: int, dims: int) -> VoxelSize:
    """Return (z, y, x) in micrometres."""
    scale = MICROMETRES.get(unit)
    known = [
        round(n * scale, 6) if scale and math.isfinite(n) and n > 0 else None
        for n in lengths[:3]
    ]
    x, y, z = known
    return (z if dims > 2 else None, y, x)


def _values(path: Path, file: Any, header: Header, packed: bool) -> Any:
    count = math.prod(header.shape)
    size = count * header.dtype.itemsize
    if not packed:
        stored = path.stat().st_size - header.offset
        _check_length(path.name, stored, size)
        values: Any = np.memmap(path, header.dtype, "r", header.offset, (count,))
    else:
        refuse_beyond_memory(2 * size, f"{path.name}: its pixels")
        file.seek(header.offset)
        found = file.read(size)
        _check_length(path.name, len(found), size)
        values = np.frombuffer(found, header.dtype)
    return values.astype(header.dtype.newbyteorder("="), copy=False)


def _check_length(name: str, found: int, expected: int) -> None:
    if found < expected:
        raise DataError(
            f"{name}: is truncated: {max(found, 0)} bytes of pixels, not {expected}"
        )
