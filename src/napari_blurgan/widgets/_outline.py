"""`Outline`: a labels layer that outlines content according to a threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_blurgan.widgets._layers import guess_axes
from napari_blurgan.widgets._mask import (
    ContentMask,
    mask_attributes,
    pyramid,
    refresh,
)

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels

    from napari_blurgan.widgets._levels import Level

__all__ = ["Outline"]

WIDTH = 2


class Outline:
    """Content in one image at a time, outlined on it.

    Parameters
    ----------
    viewer : napari viewer
        Where the layer of labels goes.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._image: Image | None = None
        self._masks: list[ContentMask] = []
        self._labels: Labels | None = None

    @property
    def deleted(self) -> bool:
        """Whether the user has deleted it."""
        return self._labels is not None and self._labels not in self._viewer.layers

    def show(self, image: Image, level: Level) -> None:
        """Draw it on an image, or move it there."""
        if level.value is None:
            self.remove()
            return
        if image is not self._image:
            self.remove()
            self._image, self._masks = image, pyramid(image, guess_axes(image))
        name = f"{image.name} · content {level.side}"
        if self._labels is None:
            self._add(image, name)
        if self._labels is not None:
            self._labels.name = name
            refresh(self._masks, self._labels, level.value, level.bright_background)

    def remove(self) -> None:
        """Remove it."""
        labels, self._labels, self._image = self._labels, None, None
        if labels is not None and labels in self._viewer.layers:
            self._viewer.layers.remove(labels)

    def _add(self, image: Image, name: str) -> None:
        from napari.layers import Labels

        selected = set(self._viewer.layers.selection)
        data = self._masks if image.multiscale else self._masks[0]
        attributes = mask_attributes(image) | {"name": name}
        # Set before the viewer has it, because listeners to new layers may ask for it.
        self._labels = labels = Labels(data, **attributes)
        labels.contour = WIDTH
        labels.editable = False
        self._viewer.add_layer(labels)
        self._viewer.layers.selection = selected
