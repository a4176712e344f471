"""Metadata written with the pixels of an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from napari_blurgan.axes import VoxelSize
from napari_blurgan.headers.acquisition import Acquisition

__all__ = ["Facts"]


class Facts(TypedDict, total=False):
    """Metadata of an image besides its pixels and axes.

    Attributes
    ----------
    voxel_size : tuple of (float or None)
        (z, y, x) in micrometres; None where unknown.
    channel_names : sequence of str
        As many as there are channels, or none.
    name : str
        Of the image.
    provenance : mapping or None
        What JSON can hold.
    translation : sequence of float or None
        Where the first voxel lies, (z, y, x) in micrometres.
    acquisition : Acquisition or None
        How the image was taken.
    """

    voxel_size: VoxelSize
    channel_names: Sequence[str]
    name: str
    provenance: Mapping[str, Any] | None
    translation: Sequence[float] | None
    acquisition: Acquisition | None
