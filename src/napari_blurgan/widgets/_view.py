"""What is seen of a layer, in its voxels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image
    from numpy.typing import NDArray

__all__ = ["corners_of_view", "middle_of_view", "point_in_view"]


def corners_of_view(layer: Image) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the first and the last voxel in view, of a pyramid in full resolution."""
    low, high = np.asarray(layer.corner_pixels, float)
    if not layer.multiscale:
        return low, high
    factor = np.asarray(layer.downsample_factors[layer.data_level])
    return low * factor, (high + 1) * factor - 1


def point_in_view(viewer: ViewerModel, layer: Image) -> NDArray[np.float64]:
    """Return where the sliders are, in voxels of a layer."""
    point = viewer.dims.point[-layer.ndim :]
    return np.asarray(layer.world_to_data(point), float)


def middle_of_view(viewer: ViewerModel, layer: Image) -> NDArray[np.float64]:
    """Return the voxel in the middle of what is seen of a layer."""
    low, high = corners_of_view(layer)
    there = point_in_view(viewer, layer).copy()
    hidden = viewer.dims.ndim - layer.ndim
    seen = [axis - hidden for axis in viewer.dims.displayed if axis >= hidden]
    there[seen] = (low[seen] + high[seen]) / 2
    return there
