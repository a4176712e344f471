"""Destinations of a result: an array in memory, an OME-TIFF or an OME-Zarr."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.memory import in_bytes
from napari_blurgan.reading.images import read_stack
from napari_blurgan.tiling.layout import Layout
from napari_blurgan.tiling.tiling import Region
from napari_blurgan.writing.atomic import replace_folder, replacing
from napari_blurgan.writing.imagej import suits_imagej
from napari_blurgan.writing.lock import Lock
from napari_blurgan.writing.ome_tiff import OmeTiffLayout
from napari_blurgan.writing.ome_zarr import (
    ORDER,
    build_pyramid,
    create_ome_zarr,
    open_level,
)

__all__ = ["MemorySink", "OmeTiffSink", "OmeZarrSink", "Sink", "Target", "make_sink"]

SMALLEST_CHUNK, LARGEST_CHUNK = 32, 128


@dataclass(frozen=True)
class Target:
    """The properties of the result that a sink needs.

    Attributes
    ----------
    layout : Layout
        Axes, shape and names.
    dtype : dtype
        Pixel type.
    core : tuple of int
        Size of a tile; no two tiles should share a chunk.
    provenance : dict
        What was done, to be written into the file.
    key : dict
        What must be the same for a result to be resumed.
    """

    layout: Layout
    dtype: np.dtype[Any]
    core: tuple[int, ...]
    provenance: dict[str, Any] = field(default_factory=dict)
    key: dict[str, Any] = field(default_factory=dict)


class Sink(Protocol):
    """A destination; `open`, then `write` each tile, then `close` or `abort`."""

    in_memory: bool
    resumable: bool
    """Whether an incomplete result can be resumed."""

    def earlier_tile(self) -> tuple[int, ...] | None:
        """Return the tile size of the run to resume, if there is one."""

    def open(self, target: Target) -> set[int]:
        """Prepare the result and return the tiles that exist already.

        If this fails, it removes what it began; `abort` is for later failures.
        """

    def write(self, number: int, region: Region, block: NDArray[Any]) -> None:
        """Write tile `number`, in the axes of the result, to `region`."""

    def close(self) -> Stack:
        """Complete the result and return it."""

    def abort(self) -> None:
        """Remove anything that could be mistaken for a result."""


def make_sink(path: str | os.PathLike[str] | None, resume: bool = False) -> Sink:
    """Return the sink for a path: None is memory, otherwise the suffix decides.

    Raises
    ------
    DataError
        If the suffix is none of .tif, .tiff and .zarr, or `resume` is asked of
        anything but .zarr.
    """
    suffix = None if path is None else Path(path).suffix.lower()
    if path is not None and suffix == ".zarr":
        return OmeZarrSink(Path(path), resume)
    if resume:
        raise DataError("only a result in a .zarr can be resumed")
    if path is None:
        return MemorySink()
    if suffix in (".tif", ".tiff"):
        return OmeTiffSink(Path(path))
    raise DataError(f"{path}: cannot be written; expected .ome.tif, .tif or .zarr")


class MemorySink:
    """The result as a numpy array."""

    in_memory = True
    resumable = False

    def earlier_tile(self) -> None:
        """Nothing can be resumed."""

    def open(self, target: Target) -> set[int]:
        """Allocate the result."""
        self._target = target
        self._array = np.empty(target.layout.shape, target.dtype)
        return set()

    def write(self, number: int, region: Region, block: NDArray[Any]) -> None:
        """Copy a tile."""
        self._array[region] = block

    def close(self) -> Stack:
        """Return the result."""
        layout, source = self._target.layout, self._target.layout.source
        return Stack(
            data=self._array,
            axes=layout.axes,
            voxel_size=source.voxel_size,
            name=source.name,
            channel_names=layout.channel_names,
            metadata={
                "provenance": self._target.provenance,
                "translation": source.metadata.get("translation"),
                "acquisition": source.metadata.get("acquisition"),
            },
        )

    def abort(self) -> None:
        """Discard the array."""
        del self._array


class OmeTiffSink:
    """An OME-TIFF or an ImageJ hyperstack, whose tiles are written in any order.

    It is not compressed. It has a temporary name until it is complete, and one writer
    at a time.

    Parameters
    ----------
    path : Path
        The file.
    """

    in_memory = False
    resumable = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_name(f".{path.name}.part")
        self._lock = _lock(path)

    def earlier_tile(self) -> None:
        """Nothing can be resumed."""

    def open(self, target: Target) -> set[int]:
        """Write the headers and reserve the space."""
        layout = target.layout
        imagej = suits_imagej(self.path, layout.axes, layout.shape, target.dtype)
        self._layout = OmeTiffLayout(layout.shape, layout.axes, imagej)
        self._dtype = target.dtype
        options = self._layout.options(
            target.dtype,
            layout.source.voxel_size,
            layout.channel_names,
            target.provenance,
            layout.source.metadata.get("translation"),
            layout.source.metadata.get("acquisition"),
        )
        needed = int(np.prod(layout.shape, dtype=np.int64)) * target.dtype.itemsize
        self._lock.acquire()
        try:
            with _written_to(self.path):
                self._reserve(needed, options)
        except BaseException:  # Ctrl-C between two lines
            self.abort()
            raise
        return set()

    def _reserve(self, needed: int, options: dict[str, Any]) -> None:
        free = shutil.disk_usage(self.path.parent).free
        if needed > free:
            raise DataError(
                f"{self.path}: needs {in_bytes(needed)}, {in_bytes(free)} are free on "
                "that disk"
            )
        tifffile.imwrite(self._part, **options)
        with tifffile.TiffFile(self._part) as tif:
            self._offset = tif.series[0].dataoffset
        if hasattr(os, "posix_fallocate"):
            # Writing to a memory-mapped page without disk space would kill the process.
            with self._part.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, self._offset + needed)

    def write(self, number: int, region: Region, block: NDArray[Any]) -> None:
        """Write a tile in place."""
        order = self._layout.order
        with _written_to(self.path):
            # Mapped again for each tile, so that written pages are not counted as ours.
            pixels = np.memmap(
                self._part, self._dtype, "r+", self._offset, self._layout.shape
            )
            pixels[tuple(region[i] for i in order)] = block.transpose(order)

    def close(self) -> Stack:
        """Give the file its name."""
        with _written_to(self.path):
            self._part.replace(self.path)
        self._lock.release()
        return read_stack(self.path)

    def abort(self) -> None:
        """Remove the temporary file."""
        with suppress(OSError):
            self._part.unlink(missing_ok=True)
        self._lock.release()


class OmeZarrSink:
    """An OME-Zarr 0.5 with a pyramid; it can be resumed.

    Until it is complete it is called NAME.zarr.part, with a record of the finished
    tiles, NAME.zarr.tiles, next to it. It has one writer at a time.

    Parameters
    ----------
    path : Path
        The folder.
    resume : bool
        Go on with what is there; start anew otherwise.
    """

    in_memory = False
    resumable = True

    def __init__(self, path: Path, resume: bool = False) -> None:
        self.path = path
        self.resume = resume
        self.part = path.with_name(path.name + ".part")
        self.journal = path.with_name(path.name + ".tiles")
        self._lock = _lock(path)
        self._done: set[int] = set()

    def earlier_tile(self) -> tuple[int, ...] | None:
        """Return the tile size in the record of an earlier run."""
        key, _ = self._read_journal() if self.resume else (None, set())
        return None if key is None else tuple(key["core"])

    def open(self, target: Target) -> set[int]:
        """Create the arrays, or find the tiles of an earlier run."""
        self._target = target
        self.order = ngff_order(target.layout.axes)
        self._lock.acquire()
        try:
            self._done = self._recorded() if self.resume else set()
        except BaseException:  # a run with other settings must not be removed
            self._lock.release()
            raise
        try:
            with _written_to(self.path):
                if not self._done:
                    self._create(target)
                self._write_journal()
                self._array = open_level(self.part)
        except BaseException:
            self.abort()
            raise
        return set(self._done)

    def write(self, number: int, region: Region, block: NDArray[Any]) -> None:
        """Write a tile, then record it."""
        order = self.order
        with _written_to(self.path):
            self._array[tuple(region[i] for i in order)] = block.transpose(order)
            self.record(number)

    def record(self, number: int) -> None:
        """Record that a tile is written."""
        self._done.add(number)
        with self.journal.open("a") as journal:
            journal.write(f"{number}\n")

    def close(self) -> Stack:
        """Build the pyramid and give the folder its name."""
        with _written_to(self.path):
            build_pyramid(self.part)
            replace_folder(self.part, self.path)
            self.journal.unlink()
        self._lock.release()
        return read_stack(self.path)

    def abort(self) -> None:
        """Keep what can be resumed; remove it if no tile is done."""
        if not self._done:
            shutil.rmtree(self.part, ignore_errors=True)
            with suppress(OSError):
                self.journal.unlink(missing_ok=True)
        self._lock.release()

    def _create(self, target: Target) -> None:
        layout = target.layout
        axes = layout.axes.replace("S", "C")
        core = dict(zip(layout.spatial_axes, target.core, strict=True))
        chunks = [_chunk(core.get(axes[i], 1)) for i in self.order]
        create_ome_zarr(
            self.part,
            [layout.shape[i] for i in self.order],
            "".join(axes[i] for i in self.order),
            target.dtype,
            chunks,
            voxel_size=layout.source.voxel_size,
            channel_names=layout.channel_names,
            name=layout.source.name,
            provenance=target.provenance,
            translation=layout.source.metadata.get("translation"),
        )

    def _write_journal(self) -> None:
        lines = [json.dumps(self._target.key), *map(str, sorted(self._done))]
        with replacing(self.journal) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _read_journal(self) -> tuple[dict[str, Any] | None, set[int]]:
        """Return the key of an earlier run and its tiles, or None without one.

        A last line without an end was truncated, by a power failure or a full disk.
        """
        if not self.journal.is_file():
            return None, set()
        text = self.journal.read_text(encoding="utf-8", errors="replace")
        first, *rest = text.split("\n")
        try:
            key = json.loads(first)
            tuple(map(int, key["core"]))
        except (ValueError, TypeError, KeyError):
            return None, set()
        return key, {
            int(line) for line in rest[:-1] if line.isascii() and line.isdigit()
        }

    def _recorded(self) -> set[int]:
        """Return the tiles in the record of an earlier run with the same key."""
        key, done = self._read_journal()
        if key is None or not self.part.is_dir():
            return set()
        ours = json.loads(json.dumps(self._target.key))
        other = [name for name in {**ours, **key} if ours.get(name) != key.get(name)]
        if other:
            names = ", ".join("tile size" if n == "core" else n for n in other)
            raise DataError(
                f"{self.part}: was begun with a different {names}; delete it, or do "
                f"not "
                "resume"
            )
        return done


def ngff_order(axes: str) -> tuple[int, ...]:
    """Return the positions of `axes` in the order required by OME-Zarr."""
    letters = axes.replace("S", "C")
    return tuple(letters.index(a) for a in ORDER if a in letters)


def _chunk(core: int) -> int:
    """Return a divisor of a tile's size, so that no two tiles share a chunk."""
    sizes = range(min(core, LARGEST_CHUNK), SMALLEST_CHUNK - 1, -1)
    return next((n for n in sizes if core % n == 0), core)


def _lock(path: Path) -> Lock:
    return Lock(
        path.with_name(f".{path.name}.lock"),
        f"{path}: is being written by another process; wait for it to end, or choose "
        "another name",
    )


@contextmanager
def _written_to(path: Path) -> Iterator[None]:
    """Name the result that the system does not allow us to write."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({error.strerror or error})"
        ) from error
