"""Zeiss CZI files."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.headers.czi import (
    Tile,
    czi_facts,
    czi_metadata,
    czi_tiles,
    stored,
)
from napari_blurgan.headers.limits import refuse_beyond_memory
from napari_blurgan.reading.damage import damage_refused
from napari_blurgan.reading.planewise import PlanewiseArray
from napari_blurgan.reading.vendors.image import (
    check_number,
    kept,
    others_left,
    reader_of,
    vendor_stack,
)

__all__ = ["CziArray", "read_czi"]

WHAT = "a Zeiss CZI file"
PIXELS = {
    0: ("u1", 1),
    1: ("u2", 1),
    2: ("f4", 1),
    3: ("u1", 3),
    4: ("u2", 3),
    8: ("f4", 3),
    12: ("u4", 1),
    13: ("f8", 1),
}
"""Data type and samples of a pixel by Zeiss' code; samples are blue, green, red."""
LOOPS = "TCZ"
Decoder = Callable[[Any, bytes], Any]
CODECS: Mapping[int, Decoder | None] = {
    0: None,
    1: lambda codecs, data: codecs.jpeg8_decode(data),
    2: lambda codecs, data: codecs.lzw_decode(data),
    4: lambda codecs, data: codecs.jpegxr_decode(data),
    5: lambda codecs, data: codecs.zstd_decode(data),
    6: lambda codecs, data: _zstd_with_header(codecs, data),
}
"""How a tile is decoded, by Zeiss' code of its compression."""


def read_czi(path: Path, axes: str | None = None, image: int = 0) -> Stack:
    """Return a scene of a CZI file as a lazy `Stack`.

    The tiles of a mosaic are put where the file says; later ones lie on top.

    Parameters
    ----------
    path : Path
        The file.
    axes : str, optional
        Axis letters that overrule those of the file.
    image : int
        The number of the scene, counted from 0.

    Raises
    ------
    DataError
        If the file is damaged, there is no such scene, it is compressed and the package
        imagecodecs is missing, or the image has axes besides T, C, Z, Y, X and S.
    """
    with damage_refused(path, f"is not {WHAT}, or is damaged"):
        tiles = czi_tiles(path)
        facts = czi_facts(czi_metadata(path))
        scenes = sorted({_start(tile, "S") for tile in tiles}) or [0]
        check_number(image, len(scenes), "scenes", path)
        chosen = [t for t in tiles if _start(t, "S") == scenes[image]]
        data = CziArray(path, chosen)
    notes = others_left(len(scenes), "scenes", image)
    return vendor_stack(data, data.axes, facts, notes, axes, len(scenes))


class CziArray(PlanewiseArray):
    """The planes of one scene of a CZI file, put together from its tiles.

    Parameters
    ----------
    path : Path
        The file.
    tiles : sequence of Tile
        Of the scene, of full resolution, with pixels of one type.

    Raises
    ------
    DataError
        If there are none, they differ in their pixels or are compressed in an unknown
        way, or the image has axes besides T, C, Z, Y, X and S.
    """

    def __init__(self, path: Path, tiles: Sequence[Tile]) -> None:
        dtype, samples = _pixels(path, tiles)
        self._tiles = tiles
        self._spans = _spans(tiles)
        sizes = {axis: stop - start for axis, (start, stop) in self._spans.items()}
        loops = {axis: sizes.pop(axis, 1) for axis in LOOPS}
        height, width = sizes.pop("Y"), sizes.pop("X")
        known = {a: n for a, n in loops.items() if n > 1} | {"Y": height, "X": width}
        colours = {"S": samples} if samples > 1 else {}
        found = kept(sizes | known | colours, path)
        self.axes = "".join(found)
        self._loops = tuple(loops.values())
        self._frame = (height, width, samples)
        super().__init__(path, tuple(found.values()), dtype, math.prod(self._frame))
        self.origin = f"{path}, scene {_start(tiles[0], 'S')}"
        self._of_plane = self._sorted()

    def __reduce__(self) -> tuple[Any, ...]:
        return CziArray, (self.path, self._tiles)

    def _sorted(self) -> dict[int, list[Tile]]:
        """Return the tiles of each plane, in the order in which they are put."""
        found: dict[int, list[Tile]] = {}
        for tile in sorted(self._tiles, key=lambda tile: _start(tile, "M")):
            at = [
                _start(tile, axis) - self._spans.get(axis, (0, 1))[0] for axis in LOOPS
            ]
            number = int(np.ravel_multi_index(at, self._loops))
            found.setdefault(number, []).append(tile)
        missing = math.prod(self._loops) - len(found)
        if missing:
            raise DataError(
                f"{self.path.name}: {missing} of {math.prod(self._loops)} planes are "
                "missing; an interrupted recording? Save it as OME-TIFF in ZEN"
            )
        return found

    def decoded(self, number: int) -> NDArray[Any]:
        """Return one plane (y, x, samples)."""
        nbytes = math.prod(self._frame) * self.dtype.itemsize
        refuse_beyond_memory(nbytes, f"{self.path.name}: one plane")
        plane = np.zeros(self._frame, self.dtype)
        with self.path.open("rb") as file:
            for tile in self._of_plane[number]:
                self._put(plane, tile, stored(file, tile))
        return plane[..., ::-1]  # blue, green, red

    def _put(self, plane: NDArray[Any], tile: Tile, data: bytes) -> None:
        (top, height), (left, width) = tile.ranges["Y"], tile.ranges["X"]
        decode = CODECS[tile.compression]
        pixels = (
            data
            if decode is None
            else decode(reader_of("imagecodecs", self.path, "its compression"), data)
        )
        if isinstance(pixels, bytes | bytearray):
            pixels = np.frombuffer(pixels, self.dtype.newbyteorder("<"))
        top, left = top - self._spans["Y"][0], left - self._spans["X"][0]
        within = (slice(top, top + height), slice(left, left + width))
        plane[within] = pixels.reshape(height, width, self._frame[2])


def _start(tile: Tile, axis: str) -> int:
    return tile.ranges.get(axis, (0, 1))[0]


def _spans(tiles: Sequence[Tile]) -> dict[str, tuple[int, int]]:
    """Return first and last place along each axis; M and S choose among tiles."""
    axes = sorted({axis for tile in tiles for axis in tile.ranges} - {"M", "S"})
    ranges = {axis: [t.ranges.get(axis, (0, 1)) for t in tiles] for axis in axes}
    return {
        axis: (min(s for s, _ in found), max(s + n for s, n in found))
        for axis, found in ranges.items()
    }


def _pixels(path: Path, tiles: Sequence[Tile]) -> tuple[Any, int]:
    """Return data type and samples of the pixels."""
    kinds = {tile.pixels for tile in tiles}
    if len(kinds) != 1 or not kinds <= set(PIXELS):
        raise DataError(
            f"{path.name}: has no tiles, or channels with different types of pixels "
            f"(types {sorted(kinds)}); save them as OME-TIFF one at a time"
        )
    unknown = {tile.compression for tile in tiles} - set(CODECS)
    if unknown:
        raise DataError(
            f"{path.name}: is compressed in a way that is not known here (Zeiss' code "
            f"{sorted(unknown)}); save it without compression"
        )
    kind, samples = PIXELS[kinds.pop()]
    return np.dtype(kind), samples


def _zstd_with_header(codecs: Any, data: bytes) -> bytes:
    """Return the bytes of a tile whose low and high bytes may stand apart."""
    length = data[0]
    packed = length >= 3 and data[1] == 1 and data[2] & 1
    pixels = np.frombuffer(codecs.zstd_decode(data[length:]), np.uint8)
    return (pixels.reshape(2, -1).T if packed else pixels).tobytes()
