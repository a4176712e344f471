"""The segments of a Zeiss CZI file: where its tiles are, and what its XML says.

A CZI is a list of segments, each with a header of 32 bytes. That of the file leads to
the directory of tiles (subblocks) and to the XML. Numbers are little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree

from napari_blurgan.headers.acquisition import Acquisition
from napari_blurgan.headers.ome_xml import OmeFacts
from napari_blurgan.headers.voxels import Claim, read_voxels

__all__ = ["Tile", "czi_facts", "czi_metadata", "czi_tiles", "stored"]

HEADER = struct.Struct("<16sqq")
FILE = struct.Struct("<ii8x16s16siqq")
ENTRY = struct.Struct("<2siqiiBx4xi")
DIMENSION = struct.Struct("<4siifi")
SUBBLOCK = struct.Struct("<iiq")
MOST_DIMENSIONS = 40
Sizes = Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Tile:
    """A tile of a plane.

    Attributes
    ----------
    position : int
        Of its segment in the file.
    pixels, compression : int
        Codes of the type of its pixels and of how they are stored.
    ranges : mapping of str to tuple of int
        Start and size along each of its axes: X, Y, C, Z, T, S (the scene), M (the
        tile of a mosaic), and rarer ones.
    """

    position: int
    pixels: int
    compression: int
    ranges: Sizes


def czi_tiles(path: Path) -> list[Tile]:
    """Return the tiles of full resolution.

    Raises
    ------
    ValueError, OSError, struct.error
        If the file is no CZI, damaged, or a part of a file in several parts.
    """
    with path.open("rb") as file:
        place, _ = _places(file)
        start = _segment(file, place, b"ZISRAWDIRECTORY")
        (count,) = _read(file, start, struct.Struct("<i"))
        position, tiles = start + 128, []
        for _ in range(count):
            tile, level, position = _entry(file, position)
            if not level:
                tiles.append(tile)
    return tiles


def czi_metadata(path: Path) -> str:
    """Return the XML of a file; empty if it has none.

    Raises
    ------
    ValueError, OSError, struct.error
        As `czi_tiles`.
    """
    with path.open("rb") as file:
        _, place = _places(file)
        if not place:
            return ""
        start = _segment(file, place, b"ZISRAWMETADATA")
        (size,) = _read(file, start, struct.Struct("<i"))
        file.seek(start + 256)
        return file.read(max(size, 0)).decode("utf-8", "replace")


def stored(file: BinaryIO, tile: Tile) -> bytes:
    """Return the bytes of a tile, as they are stored.

    Raises
    ------
    ValueError, OSError, struct.error
        If the file is damaged.
    """
    start = _segment(file, tile.position, b"ZISRAWSUBBLOCK")
    metadata, _, size = _read(file, start, SUBBLOCK)
    entry = ENTRY.size + DIMENSION.size * len(tile.ranges)
    file.seek(start + max(256, SUBBLOCK.size + entry) + metadata)
    data = file.read(size)
    if len(data) < size:
        raise ValueError("the file is truncated")
    return data


def _read(file: BinaryIO, position: int, layout: struct.Struct) -> tuple[Any, ...]:
    file.seek(position)
    return layout.unpack(file.read(layout.size))


def _segment(file: BinaryIO, position: int, kind: bytes) -> int:
    """Return where the contents of a segment begin."""
    found: bytes = _read(file, position, HEADER)[0]
    if found.rstrip(b"\0") != kind:
        raise ValueError(f"expected {kind.decode()} at {position}")
    return position + HEADER.size


def _places(file: BinaryIO) -> tuple[int, int]:
    """Return the positions of the directory and of the metadata."""
    *_, part, directory, metadata = _read(file, _segment(file, 0, b"ZISRAWFILE"), FILE)
    if part or not directory:
        raise ValueError("it is a part of a file in several parts, or was not closed")
    return directory, metadata


def _entry(file: BinaryIO, position: int) -> tuple[Tile, bool, int]:
    """Return a tile, whether it is of a pyramid, and where the next entry is."""
    schema, pixels, place, part, codec, _, count = _read(file, position, ENTRY)
    if schema != b"DV" or part or not 0 < count <= MOST_DIMENSIONS:
        raise ValueError(f"an entry of its directory at {position} is not understood")
    ranges: dict[str, tuple[int, int]] = {}
    smaller = False
    for _ in range(count):
        file.seek(position := position + (DIMENSION.size if ranges else ENTRY.size))
        name, start, size, _, kept = DIMENSION.unpack(file.read(DIMENSION.size))
        ranges[name.rstrip(b"\0").decode("ascii")] = (start, size)
        smaller |= bool(kept) and kept != size
    tile = Tile(place, pixels, codec, ranges)
    return tile, smaller, position + DIMENSION.size


def czi_facts(xml: str) -> OmeFacts:
    """Return voxel size, channels and objective according to the XML of a CZI.

    Raises
    ------
    xml.etree.ElementTree.ParseError
        If `xml` is not well-formed.
    """
    if not xml.strip():
        return OmeFacts()
    root = ElementTree.fromstring(xml.strip("\0 \r\n"))
    claims = {
        axis: Claim(value, "m")
        for axis in "ZYX"
        if (value := root.findtext(f".//Scaling/Items/Distance[@Id='{axis}']/Value"))
        and value.strip() != "0"  # not calibrated
    }
    image = root.find(".//Information/Image")
    if image is None:
        return OmeFacts(read_voxels(claims, "its CZI header"))
    channels = image.findall("Dimensions/Channels/Channel")
    names = tuple(channel.get("Name", "") for channel in channels)
    return OmeFacts(
        read_voxels(claims, "its CZI header"),
        names if all(names) else (),
        acquisition=Acquisition(
            _interval(image),
            tuple(_light(channel) for channel in channels),
            _lens(root, image),
            root.findtext(".//Information/Document/Name") or "",
        ),
    )


def _light(channel: ElementTree.Element) -> dict[str, str]:
    names = ("EmissionWavelength", "ExcitationWavelength", "Fluor")
    found = {name: channel.findtext(name, "") for name in names}
    return {name: value for name, value in found.items() if value}


def _interval(image: ElementTree.Element) -> float | None:
    """Return the time between frames in seconds."""
    try:
        value = float(image.findtext("Dimensions/T/Positions/Interval/Increment", ""))
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None


def _lens(root: ElementTree.Element, image: ElementTree.Element) -> dict[str, str]:
    """Return the objective, if it is unambiguous."""
    settings = image.find("ObjectiveSettings")
    index = "" if settings is None else settings.findtext("RefractiveIndex", "")
    used = None if settings is None else settings.find("ObjectiveRef")
    objectives = root.findall(".//Instrument/Objectives/Objective")
    if used is not None:
        chosen = [o for o in objectives if o.get("Id") == used.get("Id")]
        objectives = chosen or objectives
    if len(objectives) != 1:
        return {}
    names = ("LensNA", "Immersion", "NominalMagnification")
    lens = {name: objectives[0].findtext(name, "") for name in names}
    lens |= {"Model": objectives[0].get("Name", ""), "RefractiveIndex": index}
    return {name: value for name, value in lens.items() if value}
