"""Layers that lie in the voxels of another, until that has a voxel size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_blurgan.axes import VoxelSize
from napari_blurgan.widgets._layers import METADATA_KEY, beside, is_psf, is_source

if TYPE_CHECKING:
    from napari.layers import Image

__all__ = ["dependents", "measure_psf"]

IN_VOXELS = (1.0, 1.0, 1.0)
"""Voxel size of a PSF that knows none."""


def dependents(layer: Image, layers: Iterable[Any]) -> list[Any]:
    """Return what would no longer fit a layer, if that alone got a voxel size.

    PSFs, previews and results of it, and what was drawn on it; other images may have
    voxels of another size.
    """
    return [
        other
        for other in layers
        if other is not layer and _in_voxels_of(layer, other) and _is_its(layer, other)
    ]


def _in_voxels_of(layer: Image, other: Any) -> bool:
    axes = min(layer.ndim, other.ndim, 2)
    same = np.allclose(other.scale[-axes:], layer.scale[-axes:])
    return same and str(other.units[-1]) == "pixel"


def _is_its(layer: Image, other: Any) -> bool:
    return not is_source(other) or other.name.startswith(f"{layer.name} · ")


def measure_psf(
    psf: Image, size: VoxelSize, source: Image, others: Iterable[Any]
) -> None:
    """Show a PSF in micrometres, beside its source and other PSFs.

    Parameters
    ----------
    psf : napari.layers.Image
        So far in voxels.
    size : tuple of (float or None)
        (z, y, x) of the source in micrometres: that of the PSF, too, if it knows none.
    source : napari.layers.Image
        In micrometres already.
    others : iterable of layers
        Those that must not be hidden.
    """
    own = tuple(psf.metadata[METADATA_KEY]["voxel_size"])
    sizes = size if own == IN_VOXELS else own
    scale = np.array([1.0 if s is None else s for s in sizes])[-psf.ndim :]
    psf.scale = scale
    psf.units = ["um"] * psf.ndim
    near = [x for x in others if x is not psf and is_psf(x) and _is_measured(x)]
    psf.translate = beside(source, near, psf.data.shape, scale)


def _is_measured(layer: Any) -> bool:
    return bool(layer.units[-1].is_compatible_with("micrometer"))
