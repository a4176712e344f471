"""Saving image layers with voxel size, axes, names and how they were made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from napari.layers import Layer

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError
from napari_blurgan.headers.limits import refuse_beyond_memory
from napari_blurgan.widgets._layers import to_stack

__all__ = ["write_images"]


def write_images(path: str, layers: Sequence[tuple[Any, dict[str, Any], str]]) -> Any:
    """Write one image layer, or several as the channels of one image.

    napari has asked whether an existing file may be replaced.

    Parameters
    ----------
    path : str
        Ends in ``.ome.tif`` or ``.zarr``.
    layers : sequence of tuple
        Data, attributes and kind, as napari hands them over.

    Returns
    -------
    list of str
        The path, for napari.

    Raises
    ------
    AxesError
        If layers differ in shape, axes or voxel size.
    """
    stacks = [to_stack(Layer.create(*layer)) for layer in layers]
    whole = stacks[0] if len(stacks) == 1 else _as_channels(stacks)
    whole.save(path, overwrite=True)
    return [path]


def _as_channels(stacks: Sequence[Stack]) -> Stack:
    first = stacks[0]
    for other in stacks:
        geometry = (other.shape, other.axes, other.voxel_size)
        alike = geometry == (first.shape, first.axes, first.voxel_size)
        if not alike or {"C", "S"} & set(other.axes):
            raise AxesError(
                f"{first.name} and {other.name} cannot be channels of one image: "
                "layers need the same shape, axes and voxel size, and one channel "
                "each; save them one at a time"
            )
    at = first.axes.startswith("T")
    dtype = np.result_type(*(stack.data.dtype for stack in stacks))
    nbytes = len(stacks) * math.prod(first.shape) * dtype.itemsize
    refuse_beyond_memory(nbytes, f"saving {len(stacks)} layers as one image")
    pixels = np.stack([np.asarray(stack) for stack in stacks], axis=int(at))
    return replace(
        first,
        data=pixels,
        axes=f"{first.axes[:at]}C{first.axes[at:]}",
        channel_names=_names(stacks),
        metadata=first.metadata | _taken(stacks),
    )


def _names(stacks: Sequence[Stack]) -> tuple[str, ...]:
    """Return the names of layers without the name of the file they share."""
    parts = [stack.name.partition(", ") for stack in stacks]
    shared = len({image for image, _, _ in parts}) == 1
    named = shared and all(channel for _, _, channel in parts)
    return tuple(part[2] if named else "".join(part) for part in parts)


def _taken(stacks: Sequence[Stack]) -> dict[str, Any]:
    """Return the acquisition metadata of all channels, if each has its own."""
    found = [stack.metadata.get("acquisition") for stack in stacks]
    known = [t for t in found if t is not None and len(t.channels) == 1]
    if len(known) < len(stacks):
        return {"acquisition": None}
    channels = tuple(taken.channels[0] for taken in known)
    return {"acquisition": replace(known[0], channels=channels)}
