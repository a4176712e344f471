"""Opening OME-TIFF and OME-Zarr in napari with voxel size, axes and channel names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from napari_blurgan.data.io import read_stack
from napari_blurgan.data.stack import Stack
from napari_blurgan.widgets._layers import LayerData, stack_layer

__all__ = ["get_reader"]

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def get_reader(path: Paths) -> Callable[[Paths], list[LayerData]]:
    """Return what napari calls to open `path`, one file or several."""
    return read


def read(path: Paths) -> list[LayerData]:
    """Return a lazy layer for each channel of each file, in micrometres.

    Raises
    ------
    DataError, AxesError
        If a file cannot be read or has no axes; see `read_stack`.
    """
    paths = [path] if isinstance(path, str | os.PathLike) else path
    return [layer for each in paths for layer in _layers(read_stack(Path(each)))]


def _layers(stack: Stack) -> Iterator[LayerData]:
    if stack.size("S") in (3, 4):
        yield stack_layer(_samples_last(stack))
    elif {"C", "S"} & set(stack.axes):
        names = stack.channel_names or [f"channel {c}" for c in range(stack.channels)]
        for channel, name in enumerate(names):
            yield stack_layer(stack.only_channel(channel), name=f"{stack.name}, {name}")
    else:
        yield stack_layer(stack)


def _samples_last(stack: Stack) -> Stack:
    """Return a colour image with the samples of a pixel side by side."""
    if stack.axes.endswith("S"):
        return stack
    pixels = np.moveaxis(np.asarray(stack.data[...]), stack.axes.index("S"), -1)
    return stack.with_data(pixels, stack.axes.replace("S", "") + "S")
