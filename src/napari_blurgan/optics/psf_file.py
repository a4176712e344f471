"""PSFs on disk: OME-TIFF with the voxel size in µm and the provenance as JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_blurgan.errors import OpticsError

__all__ = ["read", "write"]

Triple = tuple[float, float, float]
# µm in a unit, as OME and ImageJ spell them.
MICROMETRES = {
    "µm": 1.0,
    "μm": 1.0,
    "um": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "\\u00B5m": 1.0,
    "nm": 1e-3,
    "mm": 1e3,
}


def write(
    path: Path,
    data: NDArray[np.float32],
    voxel_size: Triple,
    provenance: dict[str, Any],
) -> None:
    """Write (z, y, x) `data` as OME-TIFF: whole, or not at all."""
    if path.suffix.lower() not in (".tif", ".tiff"):
        raise OpticsError(f"{path}: a PSF is saved as .ome.tif")
    metadata = _metadata(voxel_size, provenance)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        tifffile.imwrite(
            part, data, ome=True, photometric="minisblack", metadata=metadata
        )
        part.replace(path)
    except OSError as error:
        raise OpticsError(f"{path}: cannot be written: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def _metadata(voxel_size: Triple, provenance: dict[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(provenance, ensure_ascii=False, default=_plain)
    except TypeError as error:
        raise OpticsError(f"the PSF's provenance cannot be written: {error}") from error
    sizes = {f"PhysicalSize{a}": s for a, s in zip("ZYX", voxel_size, strict=True)}
    units = {f"PhysicalSize{a}Unit": "µm" for a in "ZYX"}
    return {"axes": "ZYX", "Name": "PSF", "Description": text, **sizes, **units}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is nothing JSON can hold")


def read(path: Path) -> tuple[NDArray[Any], Triple | None, dict[str, Any]]:
    """Return the pixels (z, y, x), the voxel size if the file tells, the provenance."""
    try:
        with tifffile.TiffFile(path) as tif:
            series = tif.series[0]
            data = _volume(path, series.asarray(), series.axes)
            return data, *_described(path, tif)
    except (OSError, tifffile.TiffFileError, IndexError) as error:
        raise OpticsError(f"{path}: cannot be read as a TIFF: {error}") from error


def _volume(path: Path, data: NDArray[Any], axes: str) -> NDArray[Any]:
    squeezed = data.squeeze()
    if squeezed.ndim == 2:
        squeezed = squeezed[None]
    if squeezed.ndim != 3:
        raise OpticsError(
            f"{path}: a PSF is one volume (z, y, x); the file holds axes {axes} "
            f"of shape {data.shape}"
        )
    return squeezed


def _described(
    path: Path, tif: tifffile.TiffFile
) -> tuple[Triple | None, dict[str, Any]]:
    if tif.is_ome:
        return _from_ome(tif.ome_metadata or "", path)
    source = {"file": path.name}
    return (_from_imagej(tif) if tif.is_imagej else None), source


def _from_ome(xml: str, path: Path) -> tuple[Triple | None, dict[str, Any]]:
    source = {"file": path.name}
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return None, source
    pixels = root.find(".//{*}Pixels")
    size = None if pixels is None else _physical_size(pixels.attrib)
    return size, _provenance(root.findtext(".//{*}Image/{*}Description")) or source


def _physical_size(attributes: dict[str, str]) -> Triple | None:
    def micrometres(axis: str) -> float:
        value = float(attributes[f"PhysicalSize{axis}"])
        return value * MICROMETRES[attributes.get(f"PhysicalSize{axis}Unit", "µm")]

    try:
        return micrometres("Z"), micrometres("Y"), micrometres("X")
    except (KeyError, ValueError):
        return None


def _provenance(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "")
    except json.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _from_imagej(tif: tifffile.TiffFile) -> Triple | None:
    notes, tags = tif.imagej_metadata or {}, tif.pages[0].tags
    try:
        unit = MICROMETRES[notes["unit"]]
        y, x = (
            tags[name].value[1] / tags[name].value[0] * unit
            for name in ("YResolution", "XResolution")
        )
        return float(notes["spacing"]) * unit, y, x
    except (KeyError, ZeroDivisionError):
        return None
