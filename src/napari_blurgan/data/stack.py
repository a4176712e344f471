"""`Stack`: pixels with their axes, voxel size and names."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_blurgan.axes import ArrayLike, VoxelSize, check_axes
from napari_blurgan.data.view import AxisView
from napari_blurgan.errors import AxesError, DataError
from napari_blurgan.writing.saving import save

__all__ = ["PART", "ArrayLike", "Stack", "VoxelSize"]

PART = "part of an image"
"""Key of the metadata of what was cut out of an image to be looked at."""


@dataclass(frozen=True, repr=False)
class Stack:
    """An image with any axes, and its geometry.

    Parameters
    ----------
    data : array-like
        Pixels; read lazily where the array is lazy (zarr, dask).
    axes : str
        One letter an axis, in the order of `data` and in either case: T, C, Z, Y, X,
        or S (the samples of an RGB pixel). Y and X are always there.
    voxel_size : tuple of (float or None)
        (z, y, x) in micrometres; None where unknown.
    name : str
        What to call it in messages and layer names.
    channel_names : tuple of str
        As many as there are channels, or empty.
    metadata : dict
        Anything else worth carrying along.

    Raises
    ------
    AxesError
        If the axes do not describe the data.
    DataError
        If the data are no array, or the voxel size is none.
    """

    data: ArrayLike
    axes: str
    voxel_size: VoxelSize = (None, None, None)
    name: str = "image"
    channel_names: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not hasattr(self.data, "shape") or not isinstance(self.axes, str):
            raise DataError(
                f"{self.name}: a Stack takes an array and its axes in letters, found "
                f"{type(self.data).__name__} and {self.axes!r}"
            )
        self._check_words()
        object.__setattr__(self, "axes", self.axes.upper())
        object.__setattr__(self, "voxel_size", _lengths(self.voxel_size, self.name))
        check_axes(self.axes, self.data.shape, self.name)

    def _check_words(self) -> None:
        names = self.channel_names
        named = isinstance(names, list | tuple) and all(
            isinstance(name, str) for name in names
        )
        if not named or not isinstance(self.name, str):
            raise DataError(
                f"the name of an image and those of its channels are text, found "
                f"{self.name!r:.60} and {names!r:.60}"
            )
        if not isinstance(self.metadata, dict):
            raise DataError(f"metadata are a dict, found {self.metadata!r:.60}")

    def __repr__(self) -> str:
        sizes = "×".join(map(str, self.shape))
        known = self.voxel_size[-len(self.spatial_axes) :]
        words = " × ".join("?" if v is None else f"{v:.4g}" for v in known)
        return (
            f"Stack({self.name!r}, {self.axes} {sizes} {self.data.dtype}, voxels of "
            f"{words} µm)"
        )

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        """Return the pixels, completely read."""
        pixels = np.asarray(self.data[(slice(None),) * self.ndim])
        if dtype is not None:
            pixels = pixels.astype(dtype, copy=False)
        return pixels.copy() if copy else pixels

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes along `axes`."""
        return tuple(int(n) for n in self.data.shape)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.axes)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write an OME-TIFF or an OME-Zarr, with all metadata.

        Parameters
        ----------
        path : path-like
            Ends in ``.ome.tif``, ``.tif`` or ``.zarr``.
        overwrite : bool
            Whether what is there may be replaced.

        Raises
        ------
        DataError
            If it cannot be written, or there is something at `path` and `overwrite`
            is false.
        """
        save(
            path,
            self.data,
            self.axes,
            overwrite=overwrite,
            voxel_size=self.voxel_size,
            channel_names=self.channel_names,
            name=self.name,
            provenance=self.metadata.get("provenance"),
            acquisition=self.metadata.get("acquisition"),
        )

    def size(self, axis: str) -> int:
        """Return the length along `axis`; 1 where there is no such axis."""
        return int(self.data.shape[self.axes.index(axis)]) if axis in self.axes else 1

    @property
    def spatial_axes(self) -> str:
        """``"ZYX"`` for volumes, ``"YX"`` for planes."""
        return "ZYX" if "Z" in self.axes else "YX"

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """Sizes along `spatial_axes`."""
        return tuple(self.size(axis) for axis in self.spatial_axes)

    @property
    def channels(self) -> int:
        """Number of channels, whether stored as C or as RGB samples (S)."""
        return self.size("C") * self.size("S")

    def with_data(self, data: ArrayLike, axes: str | None = None) -> Stack:
        """Return other pixels with the same geometry."""
        return replace(self, data=data, axes=axes or self.axes)

    def frame(self, time: int = 0, channel: int | None = None) -> NDArray[Any]:
        """Read one time point as (channel, z, y, x) or (channel, y, x).

        Parameters
        ----------
        time : int
            Index along T; ignored without such an axis.
        channel : int, optional
            One channel only; all of them by default.

        Returns
        -------
        ndarray
            In the dtype of the data.

        Raises
        ------
        AxesError
            If there is no such time point or channel.
        """
        self._check_index("T", time)
        index = tuple(time if axis == "T" else slice(None) for axis in self.axes)
        axes = self.axes.replace("T", "")
        order = [axes.index(a) for a in "CS" + self.spatial_axes if a in axes]
        frame = np.asarray(self.data[index]).transpose(order)
        frame = frame.reshape(self.channels, *self.spatial_shape)
        if channel is None:
            return frame
        if not _is_index(channel, self.channels):
            raise AxesError(
                f"{self.name}: no channel {channel}, it has {self.channels} "
                f"(counted from 0)"
            )
        return frame[channel : channel + 1]

    def only_channel(self, channel: int) -> Stack:
        """Return the same stack with one channel only, still lazy.

        Raises
        ------
        AxesError
            If there is no such channel.
        """
        axis = "S" if "S" in self.axes else "C"
        self._check_index(axis, channel)
        if axis not in self.axes:
            return self
        view = AxisView(self.data, self.axes.index(axis), channel)
        names = self.channel_names[channel : channel + 1]
        axes = self.axes.replace(axis, "")
        metadata = dict(self.metadata)
        if metadata.get("acquisition") is not None:
            metadata["acquisition"] = metadata["acquisition"].only(channel)
        found = replace(self, data=view, axes=axes, channel_names=names)
        return replace(found, metadata=metadata)

    def _check_index(self, axis: str, index: int) -> None:
        if not _is_index(index, self.size(axis)):
            raise AxesError(
                f"{self.name}: no {axis} = {index}, it has {self.size(axis)} "
                f"(counted from 0)"
            )


def _is_index(index: object, length: int) -> bool:
    return isinstance(index, int | np.integer) and 0 <= int(index) < length


def _lengths(values: object, name: str) -> VoxelSize:
    """Return (z, y, x), each a positive length or None, or raise `DataError`."""
    try:
        z, y, x = (None if v is None else float(v) for v in values)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        z = y = x = math.nan
    if not all(v is None or 0 < v < math.inf for v in (z, y, x)):
        raise DataError(
            f"{name}: a voxel size is z, y, x in µm, each positive, or None where "
            f"unknown; found {values!r}"
        )
    return z, y, x
