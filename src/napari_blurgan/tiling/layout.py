"""`Layout`: which frames are restored, and where each result belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError, DataError
from napari_blurgan.tiling.operator import Operator
from napari_blurgan.tiling.tiling import Region, Tile

__all__ = ["Frame", "Layout"]


@dataclass(frozen=True)
class Frame:
    """The input of one call of the operator: a time point, and some channels of it."""

    time: int
    channels: tuple[int, ...]
    place: int
    """Position of the result along the channel axis of the output."""
    plane: int | None = None
    """Plane of a volume, if the operator works on planes."""


class Layout:
    """Frames in, frames out, and the axes of the result.

    Time points are restored one by one, and so are the planes of a volume if the
    operator works on planes. An operator for all channels gets them together; one for a
    single channel gets each in turn. The result keeps the order of the axes; a chosen
    channel or time point has no axis.

    Parameters
    ----------
    source : Stack
        What is to be restored.
    operator : Operator
        What it is restored by.
    channel, time : int, optional
        The only channel or time point wanted.

    Raises
    ------
    AxesError
        If there is no such channel or time point, or the operator takes another
        number of channels or axes.
    DataError
        If there are no voxels, or they are not real numbers.
    """

    def __init__(
        self,
        source: Stack,
        operator: Operator,
        channel: int | None = None,
        time: int | None = None,
    ) -> None:
        _check(source, operator)
        self.source = source
        self._operator = operator
        self.times = _chosen(source, "T", source.size("T"), time)
        channels = _chosen(source, "channel", source.channels, channel)
        self.groups, self.per_group = _groups(source.name, operator, channels)
        self.colour = bool(getattr(operator, "colour", False)) and self.channels == 3
        self.spatial_axes = source.spatial_axes[-len(operator.stride) :]
        self.spatial_shape = source.spatial_shape[-len(operator.stride) :]
        by_plane = len(self.spatial_axes) < len(source.spatial_axes)
        self.planes = range(source.size("Z")) if by_plane else (None,)
        sizes = dict(zip(source.axes, source.data.shape, strict=True))
        self.axes = self._axes(time is not None, channel is not None)
        sizes |= {"T": len(self.times), "C": self.channels, "S": self.channels}
        self.shape = tuple(sizes[a] for a in self.axes)

    @property
    def channels(self) -> int:
        """Channels of the result."""
        return len(self.groups) * self.per_group

    @cached_property
    def frames(self) -> list[Frame]:
        """The frames to restore, in order."""
        return [
            Frame(time, group, i * self.per_group, plane)
            for time in self.times
            for plane in self.planes
            for i, group in enumerate(self.groups)
        ]

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Channel names of the operator, or those of the input if channels are kept."""
        given: tuple[str, ...] = getattr(self._operator, "channel_names", ())
        if len(given) == self.channels:
            return given
        names = self.source.channel_names
        kept = [c for group in self.groups for c in group]
        return tuple(names[c] for c in kept) if names and self._keeps_channels else ()

    def place(
        self, frame: Frame, tile: Tile, block: NDArray[Any]
    ) -> tuple[Region, NDArray[Any]]:
        """Return the region of the result for a (channel, [z,] y, x) block, with it."""
        time = self.times.index(frame.time)
        regions = dict(zip(self.spatial_axes, tile.core, strict=True))
        if frame.plane is not None:
            regions["Z"] = slice(frame.plane, frame.plane + 1)
        regions["T"] = slice(time, time + 1)
        regions["C"] = regions["S"] = slice(frame.place, frame.place + len(block))
        letter = "S" if "S" in self.axes else "C"
        beyond = "T" if frame.plane is None else "TZ"
        full = beyond + letter + self.spatial_axes
        block = block[(np.newaxis,) * len(beyond)]
        dropped = tuple(i for i, a in enumerate(full) if a not in self.axes)
        kept = [a for a in full if a in self.axes]
        arranged = block.squeeze(dropped).transpose([kept.index(a) for a in self.axes])
        return tuple(regions[a] for a in self.axes), arranged

    @property
    def _keeps_channels(self) -> bool:
        return self.per_group == len(self.groups[0])

    def _axes(self, one_time: bool, one_channel: bool) -> str:
        axes = self.source.axes.replace("T", "" if one_time else "T")
        if one_channel and self._keeps_channels:
            return axes.replace("C", "").replace("S", "")
        if self._keeps_channels:
            return axes
        # If the number of channels changes, they are no longer the samples of a pixel.
        axes = axes.replace("S", "")
        if self.colour:
            return axes.replace("C", "") + "S"
        return axes if "C" in axes or self.channels == 1 else "C" + axes


def _check(source: Stack, operator: Operator) -> None:
    if 0 in source.data.shape:
        raise DataError(f"{source.name}: is empty, shape {tuple(source.data.shape)}")
    if np.dtype(source.data.dtype).kind not in "buif":
        raise DataError(
            f"{source.name}: contains {source.data.dtype}, expected real numbers"
        )
    if {"C", "S"} <= set(source.axes):
        raise AxesError(
            f"{source.name}: has both channels (C) and samples (S), {source.axes}; "
            "save it with one of them"
        )
    if len(operator.stride) > len(source.spatial_axes):
        raise AxesError(
            f"{source.name}: has the axes {source.axes}, but this model restores "
            "volumes (z, y, x); say axes=... if the file names them wrongly"
        )


def _chosen(source: Stack, what: str, size: int, index: int | None) -> list[int]:
    if index is None:
        return list(range(size))
    if not 0 <= index < size:
        raise AxesError(
            f"{source.name}: no {what} {index}, it has {size} (counted from 0)"
        )
    return [index]


def _groups(
    name: str, operator: Operator, channels: Sequence[int]
) -> tuple[list[tuple[int, ...]], int]:
    """Return which channels are processed together, and the outputs of each group."""
    together: list[tuple[int, ...]] = [tuple(channels)]
    in_turn: list[tuple[int, ...]] = [(c,) for c in channels]
    for groups in (together, in_turn):
        try:
            return groups, operator.channels_out(len(groups[0]))
        except ValueError as error:
            refused = error
    raise AxesError(f"{name}: {refused}")
