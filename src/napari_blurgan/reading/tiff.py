"""Read TIFF, OME-TIFF and ImageJ hyperstacks plane by plane, with strict checks.

tifffile reads what it can of a damaged file and logs the rest. A restoration must not:
here, a declared plane that cannot be read is an error.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_blurgan.axes import label_axes
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError, DataError
from napari_blurgan.headers.ome_xml import OmeFacts
from napari_blurgan.headers.tiff_checks import (
    check_declared,
    check_inflation,
    missing_segments,
    whole_series,
)
from napari_blurgan.headers.tiff_facts import is_signed, shades, tiff_facts
from napari_blurgan.reading.damage import damage_refused
from napari_blurgan.reading.planewise import PlanewiseArray

__all__ = ["TiffArray", "read_tiff"]

DAMAGED = "is not a TIFF file, or is damaged"


def read_tiff(path: Path, axes: str | None = None, *, strict: bool = False) -> Stack:
    """Return the first image of a TIFF file as a lazy `Stack`.

    Parameters
    ----------
    path : Path
        The file.
    axes : str, optional
        Axis letters that overrule those of the file.
    strict : bool
        Whether strips or tiles that the file leaves out are an error, not a note.

    Raises
    ------
    DataError
        If the file is no TIFF, truncated, damaged or compressed beyond our means, or
        declares more than it, or the memory, can hold.
    AxesError
        If the axes are ambiguous or do not fit.
    """
    with (
        _quiet_tifffile(),
        damage_refused(path, DAMAGED),
        tifffile.TiffFile(path) as tif,
    ):
        check_declared(tif, path)
        series = whole_series(tif, path)
        facts = tiff_facts(tif, series)
        notes = [*_missing(series, path, strict), *facts.voxels.notes, *shades(series)]
        images = [s for s in tif.series if not s.keyframe.is_reduced]
        if len(images) > 1:
            notes.append(f"the file holds {len(images)} images; the first was read")
        shape, letters, guessed = _label(series, facts, path.name, axes)
        data = TiffArray(path, shape, signed=is_signed(tif, series))
    channels = math.prod(n for n, a in zip(shape, letters, strict=True) if a in "CS")
    return Stack(
        data=data,
        axes=letters,
        voxel_size=facts.voxels.size,
        name=path.name.removesuffix(path.suffix).removesuffix(".ome"),
        channel_names=facts.channel_names
        if len(facts.channel_names) == channels
        else (),
        metadata={
            "source": str(path),
            "notes": notes + guessed,
            "provenance": facts.provenance,
            "description": facts.description,
            "voxel_size_from": facts.voxels.source,
            "translation": facts.translation,
            "acquisition": facts.acquisition,
        },
    )


class TiffArray(PlanewiseArray):
    """The first image of a TIFF file.

    The file is open only while a plane is read, so that a thousand images do not
    exhaust the file handles. It can be pickled: another process parses the file again.

    Parameters
    ----------
    path : Path
        The file.
    shape : tuple of int
        Of all planes together.
    signed : bool
        Whether 16-bit numbers are signed ones from which 32768 was taken away.
    """

    def __init__(
        self, path: Path, shape: tuple[int, ...], signed: bool = False
    ) -> None:
        with _quiet_tifffile(), tifffile.TiffFile(path) as tif:
            series = tif.series[0]
            self._pages = list(series.pages)
        self._file = tif.filehandle
        self._lock = threading.Lock()
        self._offset = series.dataoffset
        self._stored = np.dtype(series.dtype).newbyteorder(tif.byteorder)
        self._samples = math.prod(series.keyframe.shape)
        self.signed = signed
        dtype = np.dtype(np.int16) if signed else self._stored.newbyteorder("=")
        super().__init__(path, shape, dtype, self._samples)

    def __reduce__(self) -> tuple[Any, ...]:
        return TiffArray, (self.path, self.shape, self.signed)

    def decoded(self, number: int) -> NDArray[Any]:
        """Return plane `number`, counted over the leading axes."""
        plane = self._contiguous(number) if self._offset else self._segments(number)
        if self.signed:  # 32768 represents zero
            plane = (plane ^ np.uint16(0x8000)).astype(np.uint16).view(np.int16)
        return plane

    def _contiguous(self, number: int) -> NDArray[Any]:
        offset = self._offset + number * self._samples * self._stored.itemsize
        return np.fromfile(self.path, self._stored, self._samples, offset=offset)

    def _segments(self, number: int) -> NDArray[Any]:
        with self._lock:
            self._file.open()
            try:
                check_inflation(self._pages[number], self.path)
                return np.asarray(self._pages[number].asarray())
            finally:
                self._file.close()


@contextmanager
def _quiet_tifffile() -> Iterator[None]:
    # What tifffile logs about damaged files is raised as an error or kept as a note.
    logger = logging.getLogger("tifffile")
    handler = logging.NullHandler()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _missing(series: Any, path: Path, strict: bool) -> list[str]:
    """Return a note, or raise, if strips or tiles are missing in the file."""
    missing, count = missing_segments(series)
    if not missing:
        return []
    note = (
        f"{missing} of {count} strips or tiles are missing in the file and were "
        f"read as zero"
    )
    if strict:
        raise DataError(f"{path.name}: {note}")
    return [note]


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
    # OME-TIFF drops axes of length one; our own files name them.
    if facts.axes and "".join(a for a in facts.axes if a in letters) == letters:
        sizes = dict(zip(letters, shape, strict=True))
        return tuple(sizes.get(a, 1) for a in facts.axes), facts.axes, []
    return label_axes(shape, letters, name)
