"""Metadata read from OME-XML."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from xml.etree import ElementTree

from napari_blurgan.headers.acquisition import Acquisition, acquisition_of
from napari_blurgan.headers.units import micrometres
from napari_blurgan.headers.voxels import Claim, Voxels, read_voxels

__all__ = [
    "NAMESPACE",
    "OmeFacts",
    "Place",
    "declared_planes",
    "lens_in",
    "named_files",
    "read_ome",
]

NAMESPACE = "napari-blurgan/provenance"
UNKNOWN = Voxels()
SOURCE = "its OME-XML"
Place = tuple[float, float, float]
"""Position of the first voxel, (z, y, x) in micrometres."""


@dataclass(frozen=True)
class OmeFacts:
    """Metadata of the first image in a file."""

    voxels: Voxels = UNKNOWN
    channel_names: tuple[str, ...] = ()
    axes: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)
    description: str = ""
    translation: Place | None = None
    acquisition: Acquisition = field(default_factory=Acquisition)


def read_ome(xml: str) -> OmeFacts:
    """Return voxel size (z, y, x; µm), position, names and our own provenance.

    Raises
    ------
    xml.etree.ElementTree.ParseError
        If `xml` is not well-formed.
    ValueError
        If our own annotation is damaged.
    """
    root = ElementTree.fromstring(xml)
    image = root.find(".//{*}Image")
    pixels = root.find(".//{*}Pixels")
    if image is None or pixels is None:
        return OmeFacts()
    claims = {
        axis: Claim(size, pixels.get(f"PhysicalSize{axis}Unit", "µm"))
        for axis in "ZYX"
        if (size := pixels.get(f"PhysicalSize{axis}")) is not None
    }
    names = tuple(channel.get("Name", "") for channel in pixels.iterfind("{*}Channel"))
    ours = _our_annotation(root)
    return OmeFacts(
        read_voxels(claims, SOURCE),
        names if all(names) else (),
        ours.get("axes", ""),
        _dictionary(ours.get("provenance", "{}")),
        image.findtext("{*}Description") or "",
        _place(pixels),
        _acquisition(root, ours),
    )


def _acquisition(root: ElementTree.Element, ours: dict[str, str]) -> Acquisition:
    """Return the acquisition metadata; our own results name the lens in a note."""
    found = acquisition_of(root)
    lens = {str(k): str(v) for k, v in _dictionary(ours.get("lens", "{}")).items()}
    return replace(found, lens=found.lens or lens)


def lens_in(xml: str) -> Mapping[str, str]:
    """Return the properties of the objective; nothing if it is ambiguous.

    Raises
    ------
    xml.etree.ElementTree.ParseError, ValueError
        If `xml` is not well-formed, or our own annotation is damaged.
    """
    root = ElementTree.fromstring(xml)
    return _acquisition(root, _our_annotation(root)).lens


def declared_planes(xml: str) -> int:
    """Return the expected number of planes of the largest image in OME-XML.

    Raises
    ------
    xml.etree.ElementTree.ParseError, ValueError
        If `xml` is not well-formed, or sizes are no numbers.
    """
    return max(
        (
            math.prod(int(pixels.get(f"Size{axis}", 1)) for axis in "TCZ")
            for pixels in ElementTree.fromstring(xml).iterfind(".//{*}Pixels")
        ),
        default=0,
    )


def named_files(xml: str) -> set[str]:
    """Return the files over which, according to OME-XML, the planes are distributed.

    Raises
    ------
    xml.etree.ElementTree.ParseError
        If `xml` is not well-formed.
    """
    found = ElementTree.fromstring(xml).iterfind(".//{*}TiffData/{*}UUID[@FileName]")
    return {element.get("FileName", "") for element in found}


def _place(pixels: ElementTree.Element) -> Place | None:
    """Return the position of the first plane; None if there is none."""
    plane = pixels.find("{*}Plane")
    if plane is None:
        return None
    z, y, x = (_position(plane, axis) for axis in "ZYX")
    return (z, y, x) if any((z, y, x)) else None


def _position(plane: ElementTree.Element, axis: str) -> float:
    """Return a position in µm; 0 if the unit is unknown, because stages use many."""
    unit = plane.get(f"Position{axis}Unit", "reference frame")
    try:
        position = float(plane.get(f"Position{axis}", 0))
    except ValueError:
        return 0.0
    return math.copysign(micrometres(abs(position), unit) or 0.0, position)


def _dictionary(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("provenance is not a mapping")
    return value


def _our_annotation(root: ElementTree.Element) -> dict[str, str]:
    for annotation in root.iterfind(".//{*}MapAnnotation"):
        if annotation.get("Namespace") == NAMESPACE:
            entries = annotation.iterfind(".//{*}M")
            return {m.get("K", ""): m.text or "" for m in entries}
    return {}
