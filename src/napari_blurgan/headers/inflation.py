"""Size of compressed data after decompression, without storing them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

__all__ = ["inflates_beyond", "is_cut_short"]

PIECE = 1 << 20
ZSTD_MAGIC, ZSTD_BLOCK = 0xFD2FB528, 128 << 10
DAMAGE = (zlib.error, OSError, EOFError, lzma.LZMAError, ValueError, struct.error)


def inflates_beyond(stream: BinaryIO, codec: str, limit: int) -> bool:
    """Return whether decompression would give more than `limit` bytes.

    At most a mebibyte is produced at a time. False for other codecs and for damaged
    data: the decoder will find out.

    Parameters
    ----------
    stream : binary file
        What is compressed.
    codec : str
        By numcodecs' names: blosc, zstd, lz4, gzip, zlib, bz2, lzma.
    limit : int
        Bytes.
    """
    sizes = SIZES.get(codec)
    if sizes is None:
        return False
    made = 0
    try:
        for size in sizes(stream):
            made += size
            if made > limit:
                return True
    except DAMAGE:
        return False
    return False


def is_cut_short(stream: BinaryIO, codec: str) -> bool:
    """Return whether compressed data are truncated.

    For blosc only, which reads beyond the end; other codecs notice.
    """
    if codec != "blosc":
        return False
    header = stream.read(16)
    length = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    return length < 16 or struct.unpack_from("<I", header, 12)[0] > length


def _blosc(stream: BinaryIO) -> Iterator[int]:
    yield struct.unpack("<4xI", stream.read(8))[0]


def _lz4(stream: BinaryIO) -> Iterator[int]:
    yield struct.unpack("<I", stream.read(4))[0]


def _zstd(stream: BinaryIO) -> Iterator[int]:
    """Yield the size that a frame declares, or the maximum of its blocks."""
    magic, descriptor = struct.unpack("<IB", stream.read(5))
    if magic != ZSTD_MAGIC:
        return
    single, kind = descriptor >> 5 & 1, descriptor >> 6
    stream.read((1 - single) + (0, 1, 2, 4)[descriptor & 3])
    size = (1 if single else 0, 2, 4, 8)[kind]
    if size:
        yield int.from_bytes(stream.read(size), "little")
        return
    last = False
    while not last and len(raw := stream.read(3)) == 3:
        header = int.from_bytes(raw, "little")
        last, kind, size = bool(header & 1), header >> 1 & 3, header >> 3
        yield ZSTD_BLOCK if kind == 2 else size
        stream.seek(1 if kind == 1 else size, 1)


def _zlib(stream: BinaryIO) -> Iterator[int]:
    codec, left = zlib.decompressobj(), b""
    while not codec.eof and (data := left or stream.read(PIECE)):
        yield len(codec.decompress(data, PIECE))
        left = codec.unconsumed_tail


def _read_by(open_stream: Callable[..., Any]) -> Callable[[BinaryIO], Iterator[int]]:
    def sizes(stream: BinaryIO) -> Iterator[int]:
        """Yield the sizes of the pieces that come out."""
        with open_stream(stream) as whole:
            while piece := whole.read(PIECE):
                yield len(piece)

    return sizes


SIZES: dict[str, Callable[[BinaryIO], Iterator[int]]] = {
    "blosc": _blosc,
    "zstd": _zstd,
    "lz4": _lz4,
    "zlib": _zlib,
    "gzip": _read_by(gzip.open),
    "bz2": _read_by(bz2.open),
    "lzma": _read_by(lzma.open),
}
