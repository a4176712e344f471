"""Writing arrays as OME-TIFF."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Unpack

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_blurgan.axes import ArrayLike, VoxelSize, check_axes
from napari_blurgan.errors import DataError
from napari_blurgan.headers.acquisition import Acquisition
from napari_blurgan.writing.atomic import replacing
from napari_blurgan.writing.facts import Facts
from napari_blurgan.writing.imagej import IMAGEJ_ORDER, imagej_options, suits_imagej
from napari_blurgan.writing.ome_metadata import ome_metadata, ome_place

__all__ = ["OmeTiffLayout", "write_ome_tiff", "write_tiff"]

OME_TYPES = [
    "int8",
    "int16",
    "int32",
    "uint8",
    "uint16",
    "uint32",
    "float32",
    "float64",
]
BIGTIFF_FROM = 2**32 - 2**25
ZLIB_LEVEL = 4


class OmeTiffLayout:
    """The layout of an array in an OME-TIFF: planes last, then samples.

    Parameters
    ----------
    shape, axes
        Sizes and letters of TCZYXS of the array.
    imagej : bool
        Whether it is to be a hyperstack of ImageJ, in its order of axes.

    Raises
    ------
    AxesError
        If the axes do not describe an image.
    """

    def __init__(self, shape: Sequence[int], axes: str, imagej: bool = False) -> None:
        axes = axes.upper()
        check_axes(axes, shape)
        self.imagej = imagej
        leading = "".join(a for a in axes if a not in "YXS")
        if imagej:
            leading = "".join(a for a in IMAGEJ_ORDER if a in leading)
        pixel = "".join(a for a in axes if a in "YXS")
        self.planar = pixel.startswith("S") and not imagej
        self.axes = leading + ("SYX" if self.planar else "YXS"[: len(pixel)])
        self.order = tuple(axes.index(a) for a in self.axes)
        self.shape = tuple(shape[i] for i in self.order)
        self.leading = len(leading)

    @property
    def is_rgb(self) -> bool:
        """Whether samples are red, green, blue (and alpha)."""
        return "S" in self.axes and self.shape[self.axes.index("S")] in (3, 4)

    def options(
        self,
        dtype: np.dtype[Any],
        voxel_size: VoxelSize,
        channel_names: Sequence[str],
        provenance: Mapping[str, Any] | None,
        translation: Sequence[float] | None = None,
        acquisition: Acquisition | None = None,
    ) -> dict[str, Any]:
        """Return the arguments of `tifffile.imwrite` that do not depend on pixels."""
        taken = acquisition or Acquisition()
        if self.imagej:
            made = imagej_options(
                self.axes, voxel_size, channel_names, provenance, taken, self._planes
            )
            photometric = "rgb" if self.is_rgb else "minisblack"
            return made | {
                "shape": self.shape,
                "dtype": dtype,
                "photometric": photometric,
            }
        inherited = taken.for_ome(self.axes, self._channels)
        if dtype.name not in OME_TYPES:
            raise DataError(
                f"OME-TIFF cannot hold {dtype.name} pixels; expected one of "
                f"{', '.join(OME_TYPES)}"
            )
        return {
            "shape": self.shape,
            "dtype": dtype,
            "ome": True,
            "bigtiff": math.prod(self.shape) * dtype.itemsize >= BIGTIFF_FROM,
            "photometric": "rgb" if self.is_rgb else "minisblack",
            "planarconfig": ("separate" if self.planar else "contig")
            if "S" in self.axes
            else None,
            "metadata": ome_metadata(
                self.axes, voxel_size, channel_names, provenance, inherited, taken.lens
            )
            | ome_place(translation, math.prod(self.shape[: self.leading])),
            **_resolution(voxel_size),
        }

    @property
    def _planes(self) -> int:
        return math.prod(self.shape[: self.leading]) // self._channels

    @property
    def _channels(self) -> int:
        return self.shape[self.axes.index("C")] if "C" in self.axes else 1


def _resolution(voxel_size: VoxelSize) -> dict[str, Any]:
    """Return the resolution in the TIFF tags, in pixels per centimetre."""
    _, y, x = voxel_size
    if x is None or y is None:
        return {}
    return {"resolution": (1e4 / x, 1e4 / y), "resolutionunit": "CENTIMETER"}


def write_ome_tiff(
    path: str | os.PathLike[str],
    array: ArrayLike,
    axes: str,
    voxel_size: VoxelSize = (None, None, None),
    channel_names: Sequence[str] = (),
    description: Mapping[str, Any] | None = None,
    translation: Sequence[float] | None = None,
) -> None:
    """Write an OME-TIFF, zlib-compressed, plane by plane; completely or not at all.

    Parameters
    ----------
    path : path-like
        Conventionally ends in ``.ome.tif``. Folders that are missing are made.
    array : array-like
        Pixels; read one plane at a time. Integers of up to 32 bits, float32, float64.
    axes : str
        A letter of TCZYXS for each axis. In the file, Y and X (and S) come last.
    voxel_size : tuple of (float or None)
        (z, y, x) in micrometres; None where unknown.
    channel_names : sequence of str
        As many as there are channels, or none.
    description : dict, optional
        Provenance that JSON can hold; `read_stack` gives it back as
        ``metadata["provenance"]``.
    translation : sequence of float, optional
        Where the first voxel lies, (z, y, x) in micrometres.

    Raises
    ------
    AxesError
        If the axes do not describe the array.
    DataError
        If the pixel type has no place in OME-TIFF, or the disk refuses.
    """
    facts = Facts(
        voxel_size=voxel_size,
        channel_names=channel_names,
        provenance=description,
        translation=translation,
    )
    _write(path, array, OmeTiffLayout(array.shape, axes), facts)


def write_tiff(
    path: str | os.PathLike[str],
    array: ArrayLike,
    axes: str,
    **facts: Unpack[Facts],
) -> None:
    """Write an OME-TIFF, or an ImageJ hyperstack if `suits_imagej`.

    Parameters
    ----------
    path, array, axes
        As `write_ome_tiff` takes them.
    **facts
        What is known of the image.

    Raises
    ------
    AxesError, DataError
        As `write_ome_tiff` raises them.
    """
    dtype = np.dtype(array.dtype).newbyteorder("=")
    imagej = suits_imagej(path, axes, array.shape, dtype)
    _write(path, array, OmeTiffLayout(array.shape, axes, imagej), facts)


def _write(
    path: str | os.PathLike[str], array: ArrayLike, layout: OmeTiffLayout, facts: Facts
) -> None:
    if math.prod(array.shape) == 0:
        raise DataError(f"{path}: nothing to write, the array has shape {array.shape}")
    dtype = np.dtype(array.dtype).newbyteorder("=")
    options = layout.options(
        dtype,
        facts.get("voxel_size", (None, None, None)),
        facts.get("channel_names", ()),
        facts.get("provenance"),
        facts.get("translation"),
        facts.get("acquisition"),
    )
    if not layout.imagej:  # whose hyperstacks are never compressed
        options |= {
            "compression": "zlib",
            "compressionargs": {"level": ZLIB_LEVEL},
            "predictor": dtype.kind in "iu",
        }
    with replacing(path) as temporary:
        tifffile.imwrite(temporary, _planes(array, layout), **options)


def _planes(array: ArrayLike, layout: OmeTiffLayout) -> Iterator[NDArray[Any]]:
    for number in np.ndindex(layout.shape[: layout.leading]):
        index: list[int | slice] = [slice(None)] * len(layout.shape)
        for axis, i in zip(layout.order, number, strict=False):
            index[axis] = i
        plane = np.asarray(array[tuple(index)])
        rest = [axis for axis in range(len(layout.shape)) if index[axis] == slice(None)]
        order = [rest.index(axis) for axis in layout.order[layout.leading :]]
        yield np.ascontiguousarray(plane.transpose(order))
