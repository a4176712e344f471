"""Display of the previews of a transformation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.stack import Stack
from napari_blurgan.widgets._layers import (
    METADATA_KEY,
    beside,
    field_layer,
    guess_axes,
)
from napari_blurgan.widgets._live import Fields, show_anew

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_blurgan.content.content import Content
    from napari_blurgan.monitoring.events import Previewed

__all__ = ["LivePreview", "mosaic"]


class LivePreview(Fields):
    """The transformed crop and the disagreement, as layers that change.

    Parameters
    ----------
    viewer : napari viewer
        Where they go.
    sources : sequence of napari.layers.Image
        The layers of A, in the order in which the trainer got them.
    dtype : dtype
        Of the images of B: RGB is shown as they are.
    sections : bool
        Whether crops are sections along z, which lie on no plane of the layer.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        sources: Sequence[Image],
        dtype: np.dtype[Any],
        sections: bool = False,
    ) -> None:
        super().__init__(viewer, sources, guess_axes)
        self._dtype = dtype
        self._sections = sections

    def middle(self) -> tuple[float, ...] | None:
        """Return the middle of the view; None of sections, which are not in it."""
        return None if self._sections else super().middle()

    def show(self, event: Previewed, colour: bool) -> None:
        """Show the crop at its position."""
        if event.source >= len(self._sources):  # it is from a file, not from a layer
            return
        source = self._sources[event.source]
        axes = guess_axes(source)
        pixels = self._pixels(event.after, colour)
        if self._sections:
            self._replace("preview, a section along z", pixels)
            return
        planar = "".join(a for a in axes if a in "ZYX") + ("S" if colour else "")
        stack = Stack(self._expanded(pixels, planar), planar)
        layer = self._put(
            "preview", field_layer(source, stack, axes, event.corner, event.time)
        )
        if not colour:  # in the grey levels of B
            self._follow("preview", layer, pixels)

    def show_content(self, content: Content) -> None:
        """Show where content was lost (blue) and invented (red), next to the source.

        The patches are from held-out images, and are placed side by side.
        """
        pixels = mosaic(content.disagreement)
        self._replace(
            "content disagreement",
            pixels,
            colormap="bwr",
            contrast_limits=(-1, 1),
            visible=False,
            **self._place_beside(pixels.shape),
        )

    def _place_beside(self, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return scale, units and position of an image next to the first source."""
        source = self._sources[0] if self._sources else None
        if source is None or source.ndim < len(shape):
            return {}
        last = slice(-len(shape), None)
        scale = np.asarray(source.scale[last])
        return {
            "scale": scale,
            "translate": beside(source, (), shape, scale),
            "units": source.units[last],
            "axis_labels": source.axis_labels[last],
        }

    def _pixels(self, after: NDArray[np.float32], colour: bool) -> NDArray[Any]:
        if not colour:
            return after[0]
        samples = np.moveaxis(after, 0, -1)
        top = np.iinfo(self._dtype).max if self._dtype.kind in "iu" else 1
        return np.rint(255 * np.clip(samples / top, 0, 1)).astype(np.uint8)

    @staticmethod
    def _expanded(pixels: NDArray[Any], axes: str) -> NDArray[Any]:
        missing = len(axes) - pixels.ndim
        return pixels.reshape((1,) * missing + pixels.shape)

    def _replace(self, key: str, pixels: NDArray[Any], **attributes: Any) -> None:
        layer = self._made.get(key)
        if layer is None:
            attributes["metadata"] = {METADATA_KEY: {"made": "preview"}}
            attributes["name"] = (
                f"{self._sources[0].name if self._sources else 'A'} · {key}"
            )
            made = (pixels, attributes, "image")
            self._made[key] = show_anew(self._viewer, made)
        elif layer in self._viewer.layers:
            layer.data = pixels


def mosaic(patches: NDArray[Any]) -> NDArray[Any]:
    """Return patches (n, [z,] y, x) side by side in rows, as one ([z,] y, x)."""
    across = math.ceil(math.sqrt(len(patches)))
    missing = -len(patches) % across
    padded = np.pad(patches, [(0, missing)] + [(0, 0)] * (patches.ndim - 1))
    rows = padded.reshape(-1, across, *patches.shape[1:])
    return np.concatenate([np.concatenate(row, axis=-1) for row in rows], axis=-2)
