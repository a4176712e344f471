"""Channel colours in the header of a file."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import tifffile

from napari_blurgan.writing.omero import TOGETHER

__all__ = ["channel_colours"]

HEADERS = ("zarr.json", ".zattrs")
"""Their location in OME-Zarr 0.5 and 0.4."""
RGB = re.compile("[0-9A-Fa-f]{6}")


def channel_colours(path: Path, count: int) -> list[str]:
    """Return a colour for each channel, as ``"#RRGGBB"``.

    Those of the file if it has all of them and they differ; otherwise a fixed series
    that colour-blind people can distinguish, as for files written by this package.

    Parameters
    ----------
    path : Path
        TIFF, ImageJ hyperstack, OME-TIFF or OME-Zarr.
    count : int
        Number of channels.
    """
    try:
        found = _of_zarr(path) if path.is_dir() else _of_tiff(path)
    except Exception:  # colours are not worth an error, whatever is wrong with them
        found = []
    if len(found) < count or len(set(found[:count])) < count:
        found = list(itertools.islice(itertools.cycle(TOGETHER), count))
    return [f"#{colour}" for colour in found[:count]]


def _of_tiff(path: Path) -> list[str]:
    with tifffile.TiffFile(path) as tif:
        if tif.is_ome:
            return _of_ome(tif.ome_metadata or "")
        return [_last(lut) for lut in (tif.imagej_metadata or {}).get("LUTs", [])]


def _last(lut: Any) -> str:
    """Return the brightest colour of a lookup table."""
    return "".join(f"{int(value):02X}" for value in lut[:, -1])


def _of_ome(xml: str) -> list[str]:
    pixels = ElementTree.fromstring(xml).find(".//{*}Pixels")
    channels = [] if pixels is None else pixels.findall("{*}Channel")
    # A signed number of 32 bits: red, green, blue, alpha.
    numbers = [int(c.get("Color", "-1")) & 0xFFFFFFFF for c in channels]
    return [f"{number >> 8:06X}" for number in numbers]


def _of_zarr(path: Path) -> list[str]:
    header = next(path / name for name in HEADERS if (path / name).is_file())
    known = json.loads(header.read_text())
    ome = known.get("attributes", known)
    omero = ome.get("ome", ome).get("omero", {})
    colours = [channel["color"] for channel in omero.get("channels", [])]
    return [c.upper() for c in colours if RGB.fullmatch(c)]
