"""Voxel sizes and names in TIFF headers of many programs."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any
from xml.etree.ElementTree import ParseError

import tifffile

from napari_blurgan.headers.acquisition import Acquisition
from napari_blurgan.headers.ome_xml import NAMESPACE, OmeFacts, read_ome
from napari_blurgan.headers.voxels import Claim, Voxels, read_voxels

__all__ = ["is_signed", "shades", "tiff_facts"]

RESOLUTION_UNITS = {2: "inch", 3: "cm"}
# The resolution of a plain TIFF may be for printing: 72 dpi are 353 µm, 1200 dpi 21 µm.
LARGEST_CREDIBLE_PIXEL = 20.0
SHADES = {
    tifffile.PHOTOMETRIC.MINISWHITE: "zero is displayed as white: its grey levels "
    "are used as they are; invert them if bright structures have low ones",
    tifffile.PHOTOMETRIC.PALETTE: "its pixels are palette indices: "
    "they are used as grey levels",
    tifffile.PHOTOMETRIC.SEPARATED: "its colours are inks (CMYK): they are used as "
    "intensities",
}
"""Notes on pixels that are not intensities."""
Claims = dict[str, Claim]


def tiff_facts(tif: Any, series: Any) -> OmeFacts:
    """Return voxel size and names from the best header in the file.

    Parameters
    ----------
    tif : tifffile.TiffFile
        The open file.
    series : tifffile.TiffPageSeries
        The image in it.
    """
    if tif.is_ome:
        try:
            return read_ome(tif.ome_metadata)
        except (ParseError, ValueError, RecursionError):
            broken = "its OME-XML is broken; voxel size and names are unknown"
            return OmeFacts(Voxels(notes=(broken,)))
    for kind, (name, read) in PROPRIETARY.items():
        if getattr(tif, f"is_{kind}"):
            return OmeFacts(_read(read, tif, name))
    if series.kind == "imagej":
        return _imagej_facts(tif, series)
    return OmeFacts(_plain_voxels(tif.pages.first))


def _read(read: Callable[[Any], Claims], tif: Any, name: str) -> Voxels:
    try:
        return read_voxels(read(tif), name)
    except Exception:  # tifffile's readers of foreign headers raise what they please
        return Voxels(notes=(f"{name} cannot be read; the voxel size is unknown",))


def _lsm(tif: Any) -> Claims:
    header = tif.lsm_metadata
    return {axis: Claim(header[f"VoxelSize{axis}"], "m") for axis in "ZYX"}


def _stk(tif: Any) -> Claims:
    header = tif.stk_metadata
    if not header.get("SpatialCalibration", True):
        return {}
    unit = header.get("CalibrationUnits")
    claims = {
        axis: Claim(header[f"{axis}Calibration"], unit)
        for axis in "YX"
        if f"{axis}Calibration" in header
    }
    steps = [float(step) for step in header.get("ZDistance", ()) if step > 0]
    return claims | ({"Z": Claim(median(steps), unit)} if len(steps) > 1 else {})


def _fluoview(tif: Any) -> Claims:
    named = {str(d[0]).upper(): d for d in tif.fluoview_metadata["Dimensions"]}
    return {a: Claim(named[a][3], str(named[a][4])) for a in "ZYX" if a in named}


def _sis(tif: Any) -> Claims:
    header = tif.sis_metadata
    return {axis: Claim(header[f"pixelsize{axis.lower()}"], "m") for axis in "YX"}


def _metaseries(tif: Any) -> Claims:
    plane = tif.metaseries_metadata["PlaneInfo"]
    if not plane.get("spatial-calibration-state", True):
        return {}
    unit = plane.get("spatial-calibration-units")
    names = {"X": "spatial-calibration-x", "Y": "spatial-calibration-y"}
    return {axis: Claim(plane[name], unit) for axis, name in names.items()}


def _svs(tif: Any) -> Claims:
    header = tifffile.tifffile.svs_description_metadata(tif.pages.first.description)
    return {axis: Claim(header["MPP"], "µm") for axis in "YX" if "MPP" in header}


# Headers with more information than the TIFF around them, most reliable first.
PROPRIETARY: Mapping[str, tuple[str, Callable[[Any], Claims]]] = {
    "lsm": ("its Zeiss LSM header", _lsm),
    "stk": ("its MetaMorph STK header", _stk),
    "fluoview": ("its Olympus FluoView header", _fluoview),
    "sis": ("its Olympus SIS header", _sis),
    "metaseries": ("its MetaSeries header", _metaseries),
    "svs": ("its Aperio header", _svs),
}


def _imagej_facts(tif: Any, series: Any) -> OmeFacts:
    header = tif.imagej_metadata
    unit = _text(header.get("unit"))
    units = {axis: _text(header.get(f"{axis.lower()}unit")) or unit for axis in "ZYX"}
    lengths = dict(zip("YX", _pixel_lengths(tif.pages.first), strict=True))
    if "spacing" in header:
        lengths["Z"] = _absolute(header["spacing"])
    # No resolution is zero; a spacing of zero was written.
    given = {axis: n for axis, n in lengths.items() if n or axis == "Z"}
    claims = {axis: Claim(n, units[axis]) for axis, n in given.items()}
    voxels = read_voxels(claims, "its ImageJ header")
    if not claims and tif.is_micromanager:
        voxels = _read(_micromanager, tif, "its Micro-Manager header")
    return OmeFacts(
        Voxels(voxels.size, voxels.source, (*voxels.notes, *_calibration(tif))),
        _channel_names(header.get("Labels"), series),
        provenance=_our_note(header.get("Info")),
        acquisition=Acquisition(_absolute(header.get("finterval", 0)) or None),
    )


def _our_note(info: Any) -> dict[str, Any]:
    """Return the provenance that we write where ImageJ displays it."""
    found = re.search(rf"^{NAMESPACE} = (.+)$", _text(info) or "", re.MULTILINE)
    value = json.loads(found[1]) if found else {}
    return value if isinstance(value, dict) else {}


def _micromanager(tif: Any) -> Claims:
    summary = tif.micromanager_metadata["Summary"]
    pixel, step = summary.get("PixelSize_um"), summary.get("z-step_um")
    claims = {axis: Claim(pixel, "µm") for axis in "YX" if pixel}
    return claims | ({"Z": Claim(step, "µm")} if step else {})


def _channel_names(labels: Any, series: Any) -> tuple[str, ...]:
    """Return the labels of the planes, if they are those of their channels."""
    names = [labels] if isinstance(labels, str) else list(labels or ())
    sizes = dict(zip(series.axes, series.shape, strict=True))
    count = int(sizes.get("C") or sizes.get("S") or 1)
    alike = names == names[:count] * (len(names) // count)
    known = {"C", "S"} & set(sizes) and all(names) and alike
    return tuple(map(str, names[:count])) if known else ()


def is_signed(tif: Any, series: Any) -> bool:
    """Return whether ImageJ stores signed 16-bit numbers in unsigned ones."""
    if not tif.is_imagej or series.dtype != "uint16":
        return False
    header = tif.imagej_metadata or {}
    line = tuple(header.get(name) for name in ("cf", "c0", "c1"))
    return line == (0, -32768, 1)


def shades(series: Any) -> list[str]:
    """Return a note if pixel values are not intensities."""
    note = SHADES.get(series.keyframe.photometric)
    return [note] if note else []


def _calibration(tif: Any) -> tuple[str, ...]:
    header = tif.imagej_metadata
    if is_signed(tif, tif.series[0]):
        return ("its 16-bit grey levels are signed, as ImageJ stores them",)
    if "cf" not in header and "c0" not in header:
        return ()
    unit = _text(header.get("vunit")) or "other values"
    return (
        f"ImageJ shows its grey levels calibrated ({unit}); the grey levels as stored "
        "were read",
    )


def _plain_voxels(page: Any) -> Voxels:
    unit = RESOLUTION_UNITS.get(int(page.resolutionunit))
    if unit is None:
        return Voxels()
    lengths = dict(zip("YX", _pixel_lengths(page), strict=True))
    claims = {axis: Claim(n, unit) for axis, n in lengths.items() if n}
    voxels = read_voxels(claims, "its TIFF resolution")
    known = [length for length in voxels.size if length is not None]
    if len(known) < 2 or max(known) > LARGEST_CREDIBLE_PIXEL:
        return Voxels()
    return voxels


def _pixel_lengths(page: Any) -> tuple[float, float]:
    """Return the (y, x) length of a pixel in the file's own unit; 0 if unknown."""
    lengths = []
    for name in ("YResolution", "XResolution"):
        tag = page.tags.get(name)
        pixels, units = tag.value if tag is not None else (0, 1)
        lengths.append(units / pixels if pixels else 0.0)
    return lengths[0], lengths[1]


def _absolute(value: Any) -> float:
    try:
        return abs(float(value))
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
