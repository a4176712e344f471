"""`Arrangement`: a temporary overlay or side-by-side view of two layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_blurgan.widgets._layers import METADATA_KEY, PLACE
from napari_blurgan.widgets._live import add_layer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

__all__ = ["COLOURS", "Arrangement"]

COLOURS = ("magenta", "green")
"""Colours of the first and the second layer; white where they agree."""

ALIKE = 0.1
"""Overlap of the grey levels of two images, above which they have the same units."""


LETTER = 0.95
"""Width of a letter in pixels, for each point of its size."""
SMALLEST, LARGEST = 5.0, 10.0
"""Sizes in points of the names of two layers beside each other."""


class Arrangement:
    """A temporary view of a pair of layers.

    Parameters
    ----------
    viewer : napari viewer
        Whose layers are hidden meanwhile; what the user changes of that while it
        lasts is undone with it.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._visible: dict[Image, bool] = {}
        self._limits: dict[Image, tuple[float, float]] = {}
        self._names: dict[Image, tuple[bool, float]] = {}
        self._grid: dict[str, Any] = {}
        self._made: list[Image] = []

    def overlay(self, pair: tuple[Image, Image]) -> None:
        """Overlay the two in colours that add up to white."""
        self._hide_all()
        for layer, colormap in zip(pair, COLOURS, strict=True):
            made = add_layer(self._viewer, _coloured(layer, colormap))
            self._made.append(made)

    def side_by_side(self, pair: tuple[Image, Image]) -> None:
        """Place the first to the left of the second, with labels and the same contrast.

        The same contrast only if both have the same units: a reference with other units
        keeps its own.
        """
        self._hide_all()
        grid = self._viewer.canvas.grid
        self._grid = {n: getattr(grid, n) for n in ("enabled", "shape", "stride")}
        low, high = zip(*(layer.contrast_limits for layer in pair), strict=True)
        alike = min(high) - max(low) > ALIKE * (max(high) - min(low))
        for layer in pair:
            self._limits[layer] = tuple(layer.contrast_limits)
            label = layer.name_overlay
            self._names[layer] = label.visible, label.font_size
            layer.visible = label.visible = True
            label.font_size = _fitting(layer.name, self._viewer.canvas.size[1] / 2)
            if alike:
                layer.contrast_limits = (min(low), max(high))
        first, second = map(self._viewer.layers.index, pair)
        grid.shape = (1, 2)
        grid.stride = 1 if first < second else -1
        grid.enabled = True

    def undo(self) -> None:
        """Restore the previous view, as far as the layers still exist."""
        layers = self._viewer.layers
        for name, value in self._grid.items():
            setattr(self._viewer.canvas.grid, name, value)
        for layer in filter(layers.__contains__, self._made):
            layers.remove(layer)
        for layer, visible in self._visible.items():
            layer.visible = visible
        for layer, limits in self._limits.items():
            layer.contrast_limits = limits
        for layer, (named, size) in self._names.items():
            layer.name_overlay.visible = named
            layer.name_overlay.font_size = size
        for kept in (self._grid, self._visible, self._limits, self._names, self._made):
            kept.clear()

    def _hide_all(self) -> None:
        self.undo()
        for layer in self._viewer.layers:
            self._visible[layer] = layer.visible
            layer.visible = False


def _fitting(name: str, width: float) -> float:
    """Return the size of letters in points with which a name fits into a width."""
    fits = width / (LETTER * (len(name) + 1))
    return max(SMALLEST, min(LARGEST, fits))


def _coloured(layer: Image, colormap: str) -> Any:
    """Return a layer over the same pixels, in one colour that adds to others."""
    attributes = {name: getattr(layer, name) for name in PLACE}
    attributes |= {
        "name": f"{layer.name} · {colormap}",
        "colormap": colormap,
        "blending": "additive",
        "multiscale": layer.multiscale,
        "contrast_limits": layer.contrast_limits,
        "metadata": {METADATA_KEY: {"made": "preview"}},
    }
    return layer.data, attributes, "image"
