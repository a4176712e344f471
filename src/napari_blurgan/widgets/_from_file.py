"""Metadata in the file of a layer that napari's own reader ignores."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from napari_blurgan.errors import BlurGANError
from napari_blurgan.headers.ome_optics import channel_optics
from napari_blurgan.reading.images import read_stack
from napari_blurgan.widgets._layers import METADATA_KEY

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_blurgan.data.stack import Stack

__all__ = ["known_optics", "stack_behind"]


def stack_behind(layer: Image) -> Stack | None:
    """Return the file of a layer as a stack, with its voxel size and axes.

    None if there is no file, it cannot be read, it was written by us (its layer has all
    metadata), or the layer now has another shape than the file.
    """
    path = layer.source.path
    if not path or METADATA_KEY in layer.metadata or not Path(path).exists():
        return None
    stack = _read(path, Path(path).stat().st_mtime_ns)
    data = layer.data[0] if layer.multiscale else layer.data
    same = stack is not None and tuple(stack.data.shape) == tuple(data.shape)
    return stack if same else None


def known_optics(layer: Image | None) -> dict[str, float]:
    """Return na, ni and wavelength (nm) of a layer or its file, if known.

    If napari itself has read a multi-channel file, the channel of a layer is unknown:
    then only optics common to all channels are returned.
    """
    if layer is None:
        return {}
    known = layer.metadata.get(METADATA_KEY, {}).get("optics")
    if known or not layer.source.path:
        return dict(known or {})
    found = channel_optics(layer.source.path)
    alike = found and all(one == found[0] for one in found)
    return dict(found[0] or {}) if alike else {}


@lru_cache(maxsize=32)
def _read(path: str, changed: int) -> Stack | None:
    """Read the header of a file; again only after it has changed."""
    try:
        return read_stack(path)
    except BlurGANError:
        return None
