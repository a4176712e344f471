"""Hyperstacks that plain ImageJ opens with correct axes, voxel size and interval.

ImageJ without Bio-Formats does not read OME-XML: it would show a volume of two channels
as a series of planes, with pixels of size one. Files whose name ends in ``.tif``, not
``.ome.tif``, are therefore written in its format, if that can hold the pixels.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_blurgan.axes import VoxelSize
from napari_blurgan.headers.acquisition import Acquisition

__all__ = ["IMAGEJ_ORDER", "imagej_options", "suits_imagej"]

IMAGEJ_ORDER = "TZCYXS"
TYPES = ("uint8", "uint16", "float32")
LARGEST = 2**32 - 2**25
KEY = "napari-blurgan/provenance"


def suits_imagej(
    path: str | os.PathLike[str],
    axes: str,
    shape: Sequence[int],
    dtype: np.dtype[Any],
) -> bool:
    """Return whether a file is to be written for ImageJ, by its name and pixels."""
    name = Path(path).name.lower()
    plain = name.endswith((".tif", ".tiff")) and ".ome." not in name
    fits = math.prod(shape) * dtype.itemsize < LARGEST
    types = ("uint8",) if "S" in axes.upper() else TYPES  # colours have 8 bits
    return plain and fits and dtype.name in types


def imagej_options(
    axes: str,
    voxel_size: VoxelSize,
    channel_names: Sequence[str],
    provenance: Mapping[str, Any] | None,
    acquisition: Acquisition,
    planes: int = 1,
) -> dict[str, Any]:
    """Return the arguments of `tifffile.imwrite` that make a hyperstack.

    Parameters
    ----------
    axes : str
        In the order of `IMAGEJ_ORDER`.
    voxel_size : tuple of (float or None)
        (z, y, x) in micrometres.
    channel_names : sequence of str
        As many as there are channels, or none.
    provenance : mapping or None
        What JSON can hold; ImageJ shows it with *Show Info…*.
    acquisition : Acquisition
        Has the frame interval.
    planes : int
        How many there are of each channel; each gets the name of its channel.
    """
    z, y, x = voxel_size
    metadata: dict[str, Any] = {"axes": axes}
    if provenance:
        metadata["Info"] = f"{KEY} = {json.dumps(dict(provenance))}\n"
    if any(voxel_size):
        metadata["unit"] = "um"
    if z is not None and "Z" in axes:
        metadata["spacing"] = z
    if acquisition.interval is not None and "T" in axes:
        metadata |= {"finterval": acquisition.interval, "tunit": "s"}
    if "C" in axes:
        metadata["mode"] = "composite"
    if channel_names:
        metadata["Labels"] = list(channel_names) * planes
    options: dict[str, Any] = {"imagej": True, "metadata": metadata}
    if x is not None and y is not None:
        options["resolution"] = (1 / x, 1 / y)
    return options
