"""The index of a zarr shard: the positions of its chunks, and missing ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ShardLayout"]

ABSENT = 2**64 - 1
CHECKSUM = 4


@dataclass(frozen=True)
class ShardLayout:
    """How the shards of an array are indexed.

    Parameters
    ----------
    chunks : int
        In each shard.
    at_end : bool
        Whether the index is the last of a shard, or the first.
    codec : str or None
        What its chunks are compressed with.
    """

    chunks: int
    at_end: bool
    codec: str | None

    @classmethod
    def of(cls, array: Any) -> ShardLayout | None:
        """Return the layout of a zarr array; None without a supported one.

        Supported is one level of shards with the usual index: little-endian numbers and
        a checksum.
        """
        (codec, *rest) = array.metadata.to_dict()["codecs"]
        if codec["name"] != "sharding_indexed" or rest:
            return None
        settings = codec["configuration"]
        index = [entry["name"] for entry in settings["index_codecs"]]
        order = settings["index_codecs"][0].get("configuration", {}).get("endian")
        inner = [entry["name"] for entry in settings["codecs"]]
        if index != ["bytes", "crc32c"] or order != "little" or codec["name"] in inner:
            return None
        inner = [name for name in inner if name != "crc32c"]
        return cls(
            math.prod(array.shards) // math.prod(array.chunks),
            settings.get("index_location", "end") == "end",
            inner[-1],
        )

    def places(self, file: Path) -> NDArray[np.uint64]:
        """Return the (offset, length) of each chunk that is in a shard.

        Raises
        ------
        ValueError
            If the file is shorter than its index, or chunks lie outside of it.
        """
        length, size = 16 * self.chunks, file.stat().st_size
        if size < length + CHECKSUM:
            raise ValueError("its index is missing")
        with file.open("rb") as stream:
            stream.seek(size - length - CHECKSUM if self.at_end else 0)
            table = np.frombuffer(stream.read(length), "<u8").reshape(-1, 2)
        there = table[(table != ABSENT).all(axis=1)]
        first = 0 if self.at_end else length + CHECKSUM
        last = size - (length + CHECKSUM if self.at_end else 0)
        for offset, nbytes in there.tolist():
            if offset < first or offset + nbytes > last:
                raise ValueError("chunks in its index lie outside it")
        return there
