"""Metadata written to OME-XML."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from napari_blurgan.axes import VoxelSize
from napari_blurgan.headers.ome_xml import NAMESPACE

__all__ = ["ome_metadata", "ome_place"]


def ome_metadata(
    axes: str,
    voxel_size: VoxelSize,
    channel_names: Sequence[str],
    provenance: Mapping[str, Any] | None,
    inherited: Mapping[str, Any],
    lens: Mapping[str, str],
) -> dict[str, Any]:
    """Return the ``metadata`` argument with which tifffile writes OME-XML."""
    metadata: dict[str, Any] = {"axes": axes, **inherited}
    for axis, size in zip("ZYX", voxel_size, strict=True):
        if size is not None:
            metadata[f"PhysicalSize{axis}"] = size
            metadata[f"PhysicalSize{axis}Unit"] = "µm"
    if channel_names:
        metadata["Channel"] = metadata.get("Channel", {}) | {
            "Name": list(channel_names)
        }
    metadata["MapAnnotation"] = {
        "Namespace": NAMESPACE,
        "axes": axes,
        "provenance": json.dumps(dict(provenance or {})),
        **({"lens": json.dumps(dict(lens))} if lens else {}),
    }
    return metadata


def ome_place(translation: Sequence[float] | None, planes: int) -> dict[str, Any]:
    """Return the ``metadata`` for the position of an image.

    Parameters
    ----------
    translation : sequence of float or None
        Of the first voxel, (z, y, x) in micrometres.
    planes : int
        How many there are.
    """
    if translation is None or not any(translation):
        return {}
    entry: dict[str, Any] = {}
    for axis, position in zip("ZYX", translation, strict=True):
        entry[f"Position{axis}"] = [position] * planes
        entry[f"Position{axis}Unit"] = ["µm"] * planes
    return {"Plane": entry}
