"""What we read from OME-XML and what we write into it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from napari_blurgan.data.stack import VoxelSize
from napari_blurgan.data.units import micrometres

__all__ = ["NAMESPACE", "OmeFacts", "ome_metadata", "read_ome"]

NAMESPACE = "napari-blurgan/provenance"


@dataclass(frozen=True)
class OmeFacts:
    """What an OME-XML header says of the first image in a file."""

    voxel_size: VoxelSize = (None, None, None)
    channel_names: tuple[str, ...] = ()
    axes: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)


def read_ome(xml: str) -> OmeFacts:
    """Return voxel size (z, y, x; µm), channel names and our own provenance.

    Raises
    ------
    xml.etree.ElementTree.ParseError
        If `xml` is not well-formed.
    """
    root = ElementTree.fromstring(xml)
    pixels = root.find(".//{*}Pixels")
    if pixels is None:
        return OmeFacts()
    z, y, x = (
        micrometres(
            pixels.get(f"PhysicalSize{axis}"),
            pixels.get(f"PhysicalSize{axis}Unit", "µm"),
        )
        for axis in "ZYX"
    )
    names = tuple(channel.get("Name", "") for channel in pixels.iterfind("{*}Channel"))
    ours = _our_annotation(root)
    provenance = json.loads(ours.get("provenance", "{}"))
    return OmeFacts(
        (z, y, x), names if all(names) else (), ours.get("axes", ""), provenance
    )


def _our_annotation(root: ElementTree.Element) -> dict[str, str]:
    for annotation in root.iterfind(".//{*}MapAnnotation"):
        if annotation.get("Namespace") == NAMESPACE:
            entries = annotation.iterfind(".//{*}M")
            return {m.get("K", ""): m.text or "" for m in entries}
    return {}


def ome_metadata(
    axes: str,
    voxel_size: VoxelSize,
    channel_names: Sequence[str],
    provenance: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return the ``metadata`` argument with which tifffile writes OME-XML."""
    metadata: dict[str, Any] = {"axes": axes}
    for axis, size in zip("ZYX", voxel_size, strict=True):
        if size is not None:
            metadata[f"PhysicalSize{axis}"] = size
            metadata[f"PhysicalSize{axis}Unit"] = "µm"
    if channel_names:
        metadata["Channel"] = {"Name": list(channel_names)}
    metadata["MapAnnotation"] = {
        "Namespace": NAMESPACE,
        "axes": axes,
        "provenance": json.dumps(provenance or {}),
    }
    return metadata
