"""Checks that everything a TIFF declares is in the file."""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np
import tifffile

from napari_blurgan.errors import DataError
from napari_blurgan.headers.inflation import inflates_beyond
from napari_blurgan.headers.limits import refuse_beyond_memory, refuse_beyond_ratio
from napari_blurgan.headers.ome_xml import declared_planes, named_files

__all__ = ["check_declared", "check_inflation", "missing_segments", "whole_series"]

IMAGE_DESCRIPTION = 270
MANY_PLANES = 1_000_000
# Largest expansion of a byte. Packed bits become bytes; runs of one value compress
# best. By the numbers of TIFF.
MOST = {1: 8, 32773: 128, 5: 4096, 8: 1100, 32946: 1100, 34925: 8000}
MOST_OF_OTHERS = 1_000_000
# Decoded by Python if imagecodecs is not installed, without a limit.
UNLIMITED = {8: "zlib", 32946: "zlib", 34925: "lzma", 50000: "zstd"}
LIMITED = find_spec("imagecodecs") is not None
# Overhead that a codec may add to a strip.
HARMLESS = 1 << 16


def whole_series(tif: Any, path: Path) -> Any:
    """Return the first series of an open file, after checking that it is complete.

    Raises
    ------
    DataError
        If planes, pixels or headers are missing, if a plane declares more than its
        bytes can hold, or what it is compressed with is not known.
    """
    pages, series = len(tif.pages), tif.series
    if pages == 0 or not series:
        raise _truncated(path, "it contains no image")
    first = series[0]
    sizes = (*first.shape, *first.keyframe.shape)
    if not all(isinstance(n, int | np.integer) for n in sizes):
        raise _truncated(path, f"its sizes {sizes} are not whole numbers")
    if not math.prod(first.shape):
        raise DataError(f"{path.name}: has the shape {tuple(first.shape)}, no pixels")
    if first.dtype is not None and np.dtype(first.dtype).kind not in "biuf":
        raise DataError(f"{path.name}: pixels of {first.dtype} are not grey levels")
    _check_header(tif, path)
    if len(first.pages) > MANY_PLANES + tif.filehandle.size:
        raise _truncated(path, f"its header declares {len(first.pages)} planes")
    _check_planes(tif, first, path)
    _check_chain(tif, path)
    _check_decoder(first.keyframe, path)
    _check_extent(first, path)
    _check_claims(first, path)
    return first


def check_declared(tif: Any, path: Path) -> None:
    """Raise if OME-XML declares more planes than the file can hold, or other folders.

    This precedes listing the planes, because the list alone could fill the memory, and
    the files that it names would be opened.
    """
    if not tif.is_ome:
        return
    try:
        names = named_files(tif.ome_metadata)
        planes = declared_planes(tif.ome_metadata)
    except ParseError:
        return
    except ValueError:  # sizes that are not numbers; the rest of the file is examined
        planes = 0
    if planes > MANY_PLANES + tif.filehandle.size:
        raise _truncated(path, f"its OME-XML declares {planes} planes")
    home = path.resolve().parent
    for name in names:
        if not _inside(home, name):
            raise DataError(
                f"{path.name}: its OME-XML names {name!r:.80}, a file outside its "
                "folder, which is not opened; put the files of one image side by side"
            )


def _inside(home: Path, name: str) -> bool:
    try:
        return (home / name).resolve().is_relative_to(home)
    except (OSError, ValueError):  # a null byte, or a name that is too long
        return False


def check_inflation(page: Any, path: Path) -> None:
    """Raise if a strip or tile would decompress to far more than its plane.

    imagecodecs stops there by itself.
    """
    codec = UNLIMITED.get(int(page.keyframe.compression))
    if LIMITED or codec is None:
        return
    key, file = page.keyframe, page.parent.filehandle
    limit = 2 * math.prod(key.chunks) * np.dtype(key.dtype).itemsize + HARMLESS
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False):
        file.seek(offset)
        if inflates_beyond(io.BytesIO(file.read(count)), codec, limit):
            raise DataError(
                f"{path.name}: a strip or tile at byte {offset} would be larger than "
                "its plane; it is damaged, or not an image"
            )


def missing_segments(series: Any) -> tuple[int, int]:
    """Return the number of missing strips or tiles of a file, and their total."""
    counts = [
        count
        for page in series.pages
        if page is not None
        for count in page.databytecounts
    ]
    return counts.count(0), len(counts)


def _check_claims(series: Any, path: Path) -> None:
    """Raise if a plane declares more than its bytes, or the memory, can hold."""
    key = series.keyframe
    claimed = math.prod(key.shape) * np.dtype(series.dtype).itemsize
    what = f"{path.name}: a plane of {' × '.join(map(str, key.shape))}"
    refuse_beyond_memory(claimed, what)
    if series.dataoffset is not None:
        return
    ratio = MOST.get(int(key.compression), MOST_OF_OTHERS)
    segments = math.prod(key.chunked)
    for page in series.pages:
        if len(page.dataoffsets) < segments or len(page.databytecounts) < segments:
            raise _truncated(
                path, f"{len(page.dataoffsets)} of {segments} strips or tiles are there"
            )
        stored = sum(page.databytecounts[:segments])
        if stored or not all(count == 0 for count in page.databytecounts):
            refuse_beyond_ratio(claimed, stored, ratio, what)


def _truncated(path: Path, found: str) -> DataError:
    return DataError(
        f"{path.name}: {found}; the file is truncated or damaged, "
        "copy it again from where it came from"
    )


def _check_header(tif: Any, path: Path) -> None:
    """Raise if tifffile dropped the description because it lies beyond the end."""
    layout, page = tif.tiff, tif.pages.first
    tif.filehandle.seek(page.offset)
    raw = tif.filehandle.read(layout.tagnosize)
    count = struct.unpack(layout.tagnoformat, raw)[0]
    entries = [tif.filehandle.read(layout.tagsize) for _ in range(count)]
    codes = {struct.unpack(layout.byteorder + "H", entry[:2])[0] for entry in entries}
    if IMAGE_DESCRIPTION in codes - {tag.code for tag in page.tags}:
        raise _truncated(path, "its header is cut off")


def _check_chain(tif: Any, path: Path) -> None:
    """Raise unless the chain of directories ends properly, with a zero."""
    position = tif.pages.next_page_offset
    size = tif.tiff.offsetsize
    tif.filehandle.seek(position)
    raw = tif.filehandle.read(size)
    if len(raw) < size or struct.unpack(tif.tiff.offsetformat, raw)[0] != 0:
        raise _truncated(path, f"its list of planes ends after {len(tif.pages)}")


def _check_planes(tif: Any, series: Any, path: Path) -> None:
    """Raise if the header declares planes that the series lacks."""
    if tif.is_imagej and series.kind != "imagej":
        declared, found = _declared(tif.imagej_metadata or {}), len(tif.pages)
        raise _truncated(
            path, f"its ImageJ header declares {declared} planes, {found} are there"
        )
    if tif.is_shaped and series.kind != "shaped":
        raise _truncated(
            path,
            f"its header {tif.pages.first.description!r:.80} does not fit its planes",
        )
    missing = sum(page is None for page in series.pages)
    if missing:
        raise _truncated(path, f"{missing} of {len(series.pages)} planes are missing")


def _declared(header: Mapping[str, Any]) -> str:
    """Return how many planes a header of ImageJ declares, as it does."""
    sizes = [
        (header[key], key) for key in ("channels", "slices", "frames") if key in header
    ]
    product = " × ".join(f"{size} {key}" for size, key in sizes)
    images = str(header.get("images", "several"))
    return f"{images} ({product})" if len(sizes) > 1 else images


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
