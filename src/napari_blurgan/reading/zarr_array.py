"""A zarr array whose errors name the chunk, with limits on memory."""

from __future__ import annotations

import io
import itertools
import math
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_blurgan.errors import DataError
from napari_blurgan.headers.inflation import inflates_beyond, is_cut_short
from napari_blurgan.headers.limits import refuse_beyond_memory
from napari_blurgan.reading.shards import ShardLayout

__all__ = ["ZarrArray", "missing_chunks"]

# Codecs that decode bytes to numbers; others (pickle, msgpack) can run code.
CODECS = {
    *("blosc", "zstd", "gzip", "zlib", "lz4", "bz2", "lzma", "zfpy", "pcodec"),
    *("shuffle", "delta", "fixedscaleoffset", "quantize", "bitround", "packbits"),
    *("astype", "crc32", "crc32c", "adler32", "fletcher32", "jenkins_lookup3"),
    *("bytes", "transpose", "sharding_indexed"),
}
LARGEST = 2**62
"""Largest number of bytes that an index can address."""
CHUNK_KEY = re.compile(r"(?:c[./])?(\d+(?:[./]\d+)*)")
# Overhead that a codec may add to a chunk.
HARMLESS = 1 << 16


class ZarrArray:
    """The pixels of a zarr array, read when indexed, in native byte order.

    Parameters
    ----------
    array : zarr.Array
        Opened for reading.
    path : Path
        Its folder.

    Raises
    ------
    DataError
        If its pixels are no numbers, its codecs none that we trust, its shape that of
        no image, or one of its chunks beyond the free memory.
    """

    def __init__(self, array: Any, path: Path) -> None:
        self._array = array
        self.path = path
        self.shape = tuple(int(n) for n in array.shape)
        self.chunks = tuple(int(n) for n in array.chunks)
        stored = np.dtype(array.dtype)
        if stored.kind not in "biuf":
            raise DataError(f"{path}: pixels of {stored} are not grey levels")
        self.dtype = stored.newbyteorder("=")
        for codec in _codecs(array):
            if codec not in CODECS:
                raise DataError(f"{path}: the codec {codec!r:.60} is not supported")
        blocks = tuple(int(n) for n in (array.shards or array.chunks))
        pixels = math.prod(self.shape) * self.dtype.itemsize
        if not all(self.shape) or not all(blocks) or pixels > LARGEST:
            raise DataError(
                f"{path}: shape {self.shape} in chunks of {blocks} is not that of an "
                f"image"
            )
        refuse_beyond_memory(
            math.prod(blocks) * self.dtype.itemsize, f"{path}: one chunk of {blocks}"
        )
        self._blocks = blocks
        self._sharded = array.shards is not None
        self.sharding = ShardLayout.of(array) if self._sharded else None
        self._checked: set[str] = set()

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def store_path(self) -> str:
        """The identity of this array."""
        return str(self._array.store_path)

    @property
    def blocks(self) -> tuple[int, ...]:
        """Size of the content of one file: a shard, or a chunk."""
        return self._blocks

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        return np.asarray(self[...], dtype=dtype)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        region = np.broadcast_to(np.uint8(0), self.shape)[index].shape
        what = f"{self.path}: to read {' × '.join(map(str, region)) or 'a voxel'}"
        refuse_beyond_memory(math.prod(region) * self.dtype.itemsize, what)
        self._check_files(index)
        try:
            found = np.asarray(self._array[index])
        except Exception as error:  # each codec has errors of its own
            raise self._blamed(index, error) from error
        return found.astype(self.dtype, copy=False)

    def _check_files(self, index: Any) -> None:
        """Raise if a chunk is truncated, or would decompress to more than a chunk."""
        for key in set(self._keys(index)) - self._checked:
            file = self.path / key
            if file.is_file():
                try:
                    for content in self._contents(file):
                        self._check_content(key, *content)
                except (OSError, ValueError) as error:
                    raise self._damaged(key, str(error)) from error
            self._checked.add(key)

    def _contents(self, file: Path) -> Iterator[tuple[BinaryIO, str | None]]:
        """Yield the chunks in the bytes of a file, with their compression."""
        with file.open("rb") as stream:
            if self.sharding is None:
                yield stream, None if self._sharded else _compressor(self._array)
                return
            for offset, length in self.sharding.places(file).tolist():
                stream.seek(offset)
                yield io.BytesIO(stream.read(length)), self.sharding.codec

    def _check_content(self, key: str, stream: BinaryIO, codec: str | None) -> None:
        if codec is None:
            return
        limit = 2 * math.prod(self.chunks) * self.dtype.itemsize + HARMLESS
        if is_cut_short(stream, codec):
            raise self._damaged(key, "its end is missing")
        if inflates_beyond(stream, codec, limit):
            raise self._damaged(key, "it contains more than a chunk of this image")

    def _damaged(self, key: str, why: str) -> DataError:
        return DataError(
            f"{self.path}: chunk {key} cannot be read ({why:.200}); copy it again from "
            "where it came from"
        )

    def _blamed(self, index: Any, error: Exception) -> DataError:
        """Return an error that names the unreadable chunk."""
        for key, box in zip(self._keys(index), self._boxes(index), strict=True):
            try:
                self._array[box]
            except Exception as found:
                return self._damaged(key, str(found))
        return DataError(f"{self.path}: cannot be read ({error!s:.200})")

    def _grid(self, index: Any) -> list[range]:
        """Return the indices of the chunks touched by `index`, along each axis."""
        given = index if isinstance(index, tuple) else (index,)
        if ... in given:
            at = given.index(...)
            rest = (slice(None),) * (self.ndim - len(given) + 1)
            given = (*given[:at], *rest, *given[at + 1 :])
        grid = []
        for axis, (n, block) in enumerate(zip(self.shape, self.blocks, strict=True)):
            wanted = given[axis] if axis < len(given) else slice(None)
            touched = np.atleast_1d(range(n)[wanted])
            low, high = min(touched, default=0), max(touched, default=-1)
            grid.append(range(low // block, high // block + 1))
        return grid

    def _keys(self, index: Any) -> Iterator[str]:
        for numbers in itertools.product(*self._grid(index)):
            yield self._array.metadata.encode_chunk_key(numbers)

    def is_key(self, name: str, grid: Sequence[int]) -> bool:
        """Return whether a file is a chunk; other versions of zarr use other names."""
        found = CHUNK_KEY.fullmatch(name)
        if not found:
            return False
        numbers = tuple(int(part) for part in re.split(r"[./]", found[1]))
        if len(numbers) != len(grid) or any(map(int.__ge__, numbers, grid)):
            return False
        return bool(name == self._array.metadata.encode_chunk_key(numbers))

    def _boxes(self, index: Any) -> Iterator[tuple[slice, ...]]:
        for numbers in itertools.product(*self._grid(index)):
            yield tuple(
                slice(i * b, min((i + 1) * b, n))
                for i, b, n in zip(numbers, self.blocks, self.shape, strict=True)
            )


def missing_chunks(array: ZarrArray) -> tuple[int, int]:
    """Return the number of chunks that are in no file, and their total.

    By zarr's definition such chunks have the fill value.
    """
    grid = [-(-n // b) for n, b in zip(array.shape, array.blocks, strict=True)]
    found = [file for name, file in _files(array.path) if array.is_key(name, grid)]
    if array.sharding is None:
        return math.prod(grid) - len(found), math.prod(grid)
    count = math.prod(grid) * array.sharding.chunks
    return count - sum(_held(array.sharding, file) for file in found), count


def _held(sharding: ShardLayout, file: Path) -> int:
    """Return the number of chunks in a shard; damage is detected when reading."""
    try:
        return len(sharding.places(file))
    except ValueError:
        return sharding.chunks


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files in a folder by their keys, without broken links."""
    for root, _, names in os.walk(folder):
        for name in names:
            file = Path(root) / name
            if file.is_file():
                yield file.relative_to(folder).as_posix(), file


def _codecs(array: Any) -> list[str]:
    """Return the names of all codecs, including those within shards."""
    if array.metadata.zarr_format == 2:
        found = [*(array.metadata.filters or ()), array.metadata.compressor]
        return [str(getattr(c, "codec_id", type(c).__name__)) for c in found if c]
    return _names(codec.to_dict() for codec in array.metadata.codecs)


def _names(codecs: Any) -> list[str]:
    names = []
    for codec in codecs:
        names.append(str(codec.get("name")).removeprefix("numcodecs."))
        inner = codec.get("configuration") or {}
        for key in ("codecs", "index_codecs"):
            names += _names(inner.get(key) or ())
    return names


def _compressor(array: Any) -> str | None:
    """Return the last codec, if it alone determines the size of a chunk."""
    names = [name for name in _codecs(array) if name != "crc32c"]
    return names[-1] if names else None
