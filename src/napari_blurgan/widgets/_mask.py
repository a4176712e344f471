"""Masks above a threshold, computed lazily."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.colour import ChannelMean
from napari_blurgan.data.stack import Stack
from napari_blurgan.widgets._layers import guess_axes

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels

__all__ = ["ContentMask", "mask_attributes", "plane_in_view", "pyramid", "refresh"]

SAMPLE = 512
"""Pixels along an axis of a plane in view that are examined."""
PLACE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")


class ContentMask:
    """1 where the mean over the channels is above a level, else 0; lazy.

    Parameters
    ----------
    stack : Stack
        The image.
    level : float
        In its grey levels.
    bright_background : bool
        Whether content is what lies below the level instead.

    Attributes
    ----------
    shape : tuple of int
        As the image in the viewer: a channel axis stays and shows the same everywhere,
        RGB samples do not.
    """

    dtype = np.dtype(np.uint8)

    def __init__(
        self, stack: Stack, level: float = 0.0, bright_background: bool = False
    ) -> None:
        self.mean = ChannelMean(stack)
        self.level = level
        self.bright_background = bright_background
        self._axes = stack.axes.replace("S", "")
        self.shape = tuple(stack.size(a) for a in self._axes)
        self.ndim = len(self.shape)
        self.size = int(np.prod(self.shape))

    def __getitem__(self, index: Any) -> NDArray[np.uint8]:
        """Compute the integers and slices of an index."""
        key = list(index) if isinstance(index, tuple) else [index]
        key += [slice(None)] * (self.ndim - len(key))
        named = dict(zip(self._axes, key, strict=True))
        image = self.mean[tuple(named[a] for a in self.mean.axes)]
        above = image < self.level if self.bright_background else image > self.level
        mask: NDArray[np.uint8] = above.astype(np.uint8)
        along_channels = named.get("C")
        if isinstance(along_channels, slice):
            axis = sum(
                isinstance(named[a], slice) for a in self._axes.partition("C")[0]
            )
            count = len(range(*along_channels.indices(self._size("C"))))
            mask = np.repeat(np.expand_dims(mask, axis), count, axis)
        return mask

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Compute everything."""
        return np.asarray(self[:], dtype=dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def _size(self, axis: str) -> int:
        return self.shape[self._axes.index(axis)]


def pyramid(layer: Image, axes: str) -> list[ContentMask]:
    """Return a mask for each resolution of a layer."""
    resolutions = layer.data if layer.multiscale else [layer.data]
    return [ContentMask(Stack(data, axes, name=layer.name)) for data in resolutions]


def mask_attributes(layer: Image) -> dict[str, Any]:
    """Return the attributes that place a labels layer on an image."""
    return {name: getattr(layer, name) for name in PLACE} | {
        "multiscale": layer.multiscale,
    }


def plane_in_view(viewer: ViewerModel, layer: Image) -> NDArray[Any]:
    """Return pixels of the plane in view, at the lowest resolution."""
    data, axes = layer.data[-1] if layer.multiscale else layer.data, guess_axes(layer)
    mean = ChannelMean(Stack(data, axes, name=layer.name))
    *beyond, height, width = mean.shape
    point = np.asarray(layer.world_to_data(viewer.dims.point))
    places = [point[i] for i, a in enumerate(axes) if a not in "CS"]
    index: list[Any] = [
        int(np.clip(round(p), 0, n - 1)) for p, n in zip(places, beyond, strict=False)
    ]
    steps = [slice(None, None, -(-n // SAMPLE)) for n in (height, width)]
    return np.asarray(mean[(*index, *steps)])


def refresh(
    masks: list[ContentMask], layer: Labels, level: float, bright: bool
) -> None:
    """Change the threshold of displayed masks."""
    for mask in masks:
        mask.level, mask.bright_background = level, bright
    layer.refresh()
