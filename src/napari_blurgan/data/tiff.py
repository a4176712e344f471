"""Read TIFF, OME-TIFF and ImageJ hyperstacks plane by plane, and doubt them.

tifffile reads what it can of a damaged file and logs the rest. A restoration must
not: here, a plane that is declared but cannot be read is an error.
"""

from __future__ import annotations

import logging
import math
import struct
import threading
import uuid
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np
import tifffile
from numpy.typing import DTypeLike, NDArray

from napari_blurgan.data.axes import label_axes
from napari_blurgan.data.ome_xml import OmeFacts, read_ome
from napari_blurgan.data.plane_cache import shared_planes
from napari_blurgan.data.stack import Stack, VoxelSize
from napari_blurgan.data.units import micrometres
from napari_blurgan.errors import AxesError, BlurGANError, DataError

__all__ = ["TiffArray", "read_tiff"]

RESOLUTION_UNITS = {2: "inch", 3: "cm"}
IMAGE_DESCRIPTION = 270
# A plain TIFF's resolution may be a printer's: 72 dpi are 353 µm, 1200 dpi 21 µm.
LARGEST_CREDIBLE_PIXEL = 20.0


def read_tiff(path: Path, axes: str | None = None) -> Stack:
    """Return the first image of a TIFF file as a lazy `Stack`.

    Parameters
    ----------
    path : Path
        The file.
    axes : str, optional
        Axis letters that overrule those of the file.

    Raises
    ------
    DataError
        If the file is no TIFF, truncated, damaged or compressed beyond our means.
    AxesError
        If the axes are ambiguous or do not fit.
    """
    with _quiet_tifffile(), _damage_refused(path), tifffile.TiffFile(path) as tif:
        series = _whole_series(tif, path)
        facts, notes = _facts(tif, series)
        if len(tif.series) > 1:
            notes.append(f"the file holds {len(tif.series)} images; the first was read")
        shape, letters, guessed = _label(series, facts, path.name, axes)
        data = TiffArray(path, shape)
    channels = math.prod(n for n, a in zip(shape, letters, strict=True) if a in "CS")
    return Stack(
        data=data,
        axes=letters,
        voxel_size=facts.voxel_size,
        name=path.name.removesuffix(path.suffix).removesuffix(".ome"),
        channel_names=facts.channel_names
        if len(facts.channel_names) == channels
        else (),
        metadata={
            "source": str(path),
            "notes": notes + guessed,
            "provenance": facts.provenance,
        },
    )


class TiffArray:
    """The first image of a TIFF file; planes are decoded when asked for.

    Decoded planes are kept for a while, see `PlaneCache`. Indices are integers, slices
    and Ellipsis. The file is open only while a plane is read, so that a
    thousand images do not exhaust the file handles. It can be pickled: another
    process parses the file anew.
    """

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        with _quiet_tifffile(), tifffile.TiffFile(path) as tif:
            series = tif.series[0]
            self._pages = list(series.pages)
        self._file = tif.filehandle
        self._lock = threading.Lock()
        self._offset = series.dataoffset
        self._stored = np.dtype(series.dtype).newbyteorder(tif.byteorder)
        self.path = path
        self.shape = shape
        self.dtype = self._stored.newbyteorder("=")
        self._plane_ndim = _plane_ndim(shape, math.prod(series.keyframe.shape))
        self._plane_shape = shape[len(shape) - self._plane_ndim :]
        self._owner = uuid.uuid4()
        weakref.finalize(self, shared_planes.forget, self._owner)

    def __reduce__(self) -> tuple[Any, ...]:
        return TiffArray, (self.path, self.shape)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        return np.asarray(self[...], dtype=dtype)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        full = _full_index(index, self.ndim)
        leading = len(self.shape) - self._plane_ndim
        numbers = np.arange(math.prod(self.shape[:leading]))
        planes = np.asarray(
            numbers.reshape(self.shape[:leading])[full[:leading]], dtype=np.intp
        )
        within = full[leading:]
        inner = np.broadcast_to(np.uint8(0), self._plane_shape)[within].shape
        out = np.empty((planes.size, *inner), self.dtype)
        for i, plane in enumerate(planes.flat):
            out[i] = shared_planes.get(self._owner, int(plane), self._read_plane)[
                within
            ]
        return out.reshape(planes.shape + inner)

    def _read_plane(self, number: int) -> NDArray[Any]:
        with _damage_refused(self.path, f"plane {number} cannot be decoded"):
            plane = self._contiguous(number) if self._offset else self._decoded(number)
        plane = plane.reshape(self._plane_shape).astype(self.dtype, copy=False)
        plane.flags.writeable = False
        return plane

    def _contiguous(self, number: int) -> NDArray[Any]:
        count = math.prod(self._plane_shape)
        offset = self._offset + number * count * self._stored.itemsize
        return np.fromfile(self.path, self._stored, count, offset=offset)

    def _decoded(self, number: int) -> NDArray[Any]:
        with self._lock:
            self._file.open()
            try:
                return np.asarray(self._pages[number].asarray())
            finally:
                self._file.close()


def _full_index(index: Any, ndim: int) -> tuple[int | slice, ...]:
    given = index if isinstance(index, tuple) else (index,)
    if not all(isinstance(i, (int, np.integer, slice)) or i is ... for i in given):
        raise TypeError("a TIFF is indexed by integers, slices and Ellipsis")
    if ... not in given:
        given = (*given, ...)
    at = given.index(...)
    missing = ndim - len(given) + 1
    if missing < 0:
        raise IndexError(f"too many indices for {ndim} axes")
    return given[:at] + (slice(None),) * missing + given[at + 1 :]


def _plane_ndim(shape: tuple[int, ...], samples: int) -> int:
    """Return how many trailing axes one plane of `samples` values fills."""
    return next(n for n in range(1, len(shape) + 1) if math.prod(shape[-n:]) == samples)


@contextmanager
def _quiet_tifffile() -> Iterator[None]:
    # What tifffile logs about damaged files we raise as errors or keep as notes.
    logger = logging.getLogger("tifffile")
    handler = logging.NullHandler()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


@contextmanager
def _damage_refused(
    path: Path, what: str = "is not a TIFF file, or damaged"
) -> Iterator[None]:
    """Turn whatever a reader raises on bad bytes into a `DataError`."""
    try:
        yield
    except (BlurGANError, MemoryError):
        raise
    except Exception as error:  # struct.error, zlib.error, IndexError, AttributeError…
        raise DataError(
            f"{path.name}: {what} ({error}); copy it again from where it came from"
        ) from error


def _whole_series(tif: Any, path: Path) -> Any:
    """Return the first series once it is known to be all there."""
    pages, series = len(tif.pages), tif.series
    if pages == 0 or not series:
        raise _truncated(path, "it holds no image")
    first = series[0]
    _check_header(tif, path)
    _check_planes(tif, first, path)
    _check_chain(tif, path)
    _check_extent(first, path)
    _check_decoder(first.keyframe, path)
    return first


def _truncated(path: Path, found: str) -> DataError:
    return DataError(
        f"{path.name}: {found}; the file is truncated or damaged, "
        "copy it again from where it came from"
    )


def _check_header(tif: Any, path: Path) -> None:
    """Raise if tifffile dropped the description, because it lies beyond the end."""
    layout, page = tif.tiff, tif.pages.first
    tif.filehandle.seek(page.offset)
    raw = tif.filehandle.read(layout.tagnosize)
    count = struct.unpack(layout.tagnoformat, raw)[0]
    entries = [tif.filehandle.read(layout.tagsize) for _ in range(count)]
    codes = {struct.unpack(layout.byteorder + "H", entry[:2])[0] for entry in entries}
    if IMAGE_DESCRIPTION in codes - {tag.code for tag in page.tags}:
        raise _truncated(path, "its header is cut off")


def _check_chain(tif: Any, path: Path) -> None:
    """Raise unless the chain of directories ends where a chain ends: in a zero."""
    position = tif.pages.next_page_offset
    size = tif.tiff.offsetsize
    tif.filehandle.seek(position)
    raw = tif.filehandle.read(size)
    if len(raw) < size or struct.unpack(tif.tiff.offsetformat, raw)[0] != 0:
        raise _truncated(path, f"its list of planes breaks off after {len(tif.pages)}")


def _check_planes(tif: Any, series: Any, path: Path) -> None:
    """Raise if the header declares planes that the series lacks."""
    if tif.is_imagej and series.kind != "imagej":
        declared = (tif.imagej_metadata or {}).get("images", "several")
        raise _truncated(
            path,
            f"its ImageJ header declares {declared} planes, {len(tif.pages)} are there",
        )
    if tif.is_shaped and series.kind != "shaped":
        raise _truncated(
            path,
            f"its header {tif.pages.first.description!r:.80} does not fit its planes",
        )
    missing = sum(page is None for page in series.pages)
    if missing:
        raise _truncated(path, f"{missing} of {len(series.pages)} planes are missing")


def _check_extent(series: Any, path: Path) -> None:
    """Raise if pixels lie beyond the end of the file."""
    expected = math.prod(series.shape)
    per_plane = math.prod(series.keyframe.shape)
    if series.dataoffset is not None:
        end = series.dataoffset + expected * np.dtype(series.dtype).itemsize
        _check_end(end, series.keyframe.parent.filehandle.size, path)
        return
    if len(series.pages) * per_plane != expected:
        raise _truncated(
            path, f"{len(series.pages)} of {expected // per_plane} planes are there"
        )
    for page in series.pages:
        segments = zip(page.dataoffsets, page.databytecounts, strict=False)
        end = max((offset + count for offset, count in segments), default=0)
        _check_end(end, page.parent.filehandle.size, path)


def _check_end(end: int, size: int, path: Path) -> None:
    if end > size:
        raise _truncated(path, f"its pixels end at byte {end}, the file at byte {size}")


def _check_decoder(page: Any, path: Path) -> None:
    if page.dtype is None:
        raise DataError(
            f"{path.name}: pixels of {page.bitspersample} bits in sample format "
            f"{page.sampleformat} are not supported; expected 8, 16 or 32 bits"
        )
    if page.compression == 1:
        return
    try:
        tifffile.TIFF.DECOMPRESSORS[page.compression]
        tifffile.TIFF.UNPREDICTORS[page.predictor]
    except KeyError:
        known = {int(c) for c in tifffile.COMPRESSION}
        code = int(page.compression)
        name = tifffile.COMPRESSION(code).name if code in known else f"code {code}"
        raise DataError(
            f"{path.name}: compressed with {name} (predictor {int(page.predictor)}), "
            "which this installation cannot decode; "
            'try pip install "napari-blurgan[formats]"'
        ) from None


def _facts(tif: Any, series: Any) -> tuple[OmeFacts, list[str]]:
    """Return voxel size and names, from the best header that the file has."""
    if tif.is_ome:
        try:
            return read_ome(tif.ome_metadata), []
        except (ParseError, ValueError):
            return OmeFacts(), [
                "its OME-XML is broken; voxel size and names are unknown"
            ]
    if series.kind == "imagej":
        return _imagej_facts(tif, series), []
    return OmeFacts(_plain_voxel_size(tif.pages.first)), []


def _imagej_facts(tif: Any, series: Any) -> OmeFacts:
    metadata = tif.imagej_metadata
    unit = metadata.get("unit")
    y, x = (micrometres(p, unit) for p in _pixel_lengths(tif.pages.first))
    z = micrometres(abs(metadata.get("spacing", 0)), unit)
    labels = metadata.get("Labels") or ()
    names = [labels] if isinstance(labels, str) else labels
    one_a_channel = not {"Z", "T"} & set(series.axes) and {"C", "S"} & set(series.axes)
    return OmeFacts((z, y, x), tuple(names) if one_a_channel and all(names) else ())


def _plain_voxel_size(page: Any) -> VoxelSize:
    unit = RESOLUTION_UNITS.get(int(page.resolutionunit))
    y, x = (micrometres(p, unit) for p in _pixel_lengths(page))
    if y is None or x is None or max(y, x) > LARGEST_CREDIBLE_PIXEL:
        return (None, None, None)
    return (None, y, x)


def _pixel_lengths(page: Any) -> tuple[float, float]:
    """Return the (y, x) length of a pixel in the file's own unit; 0 if unknown."""
    lengths = []
    for name in ("YResolution", "XResolution"):
        tag = page.tags.get(name)
        pixels, units = tag.value if tag is not None else (0, 1)
        lengths.append(units / pixels if pixels else 0.0)
    return lengths[0], lengths[1]


def _label(
    series: Any, facts: OmeFacts, name: str, axes: str | None
) -> tuple[tuple[int, ...], str, list[str]]:
    shape, letters = tuple(series.shape), str(series.axes)
    if axes is not None:
        if len(axes) != len(shape):
            raise AxesError(
                f"{name}: axes {axes!r} were asked for, but the file has the shape "
                f"{shape} (axes {letters})"
            )
        return shape, axes.upper(), []
    # OME-TIFF does not keep axes of length one; our own files name them.
    if facts.axes and "".join(a for a in facts.axes if a in letters) == letters:
        sizes = dict(zip(letters, shape, strict=True))
        return tuple(sizes.get(a, 1) for a in facts.axes), facts.axes, []
    return label_axes(shape, letters, name)
