"""`LiveLayers`: the PSF and the preview, as layers that change while G learns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_blurgan.data.stack import Stack
from napari_blurgan.widgets._brightness import limits_of
from napari_blurgan.widgets._layers import PLACE, LayerData, field_layer, is_source
from napari_blurgan.widgets._psf_layers import psf_in_view, psf_title
from napari_blurgan.widgets._view import middle_of_view, point_in_view

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_blurgan.monitoring.events import Previewed
    from napari_blurgan.optics.psf import Psf

__all__ = [
    "Contrast",
    "Fields",
    "LiveLayers",
    "add_layer",
    "like_its_preview",
    "preview_of",
    "show_anew",
]


SLACK = 0.1
"""Relative error of the contrast that is tolerated."""


class Fields:
    """Restored fields as layers: added once, then changed in place where they lie.

    A layer that the user has deleted stays deleted; renaming, moving or recolouring is
    respected. The layer of an earlier run on the same source is used again, unless it
    has been renamed.

    Parameters
    ----------
    viewer : napari viewer
        Where they go.
    sources : sequence of napari.layers.Image
        The measured layers, in the order in which the trainer got them; may be
        deleted while the run goes on.
    axes : callable
        Returns the axes of a layer.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        sources: Sequence[Image],
        axes: Callable[[Image], str],
    ) -> None:
        self._viewer = viewer
        self._sources = list(sources)
        self._axes = axes
        self._made: dict[str, Image] = {}
        self._places: dict[str, Any] = {}
        self._contrast: dict[str, Contrast] = {}

    def middle(self) -> tuple[float, ...] | None:
        """Return what is in the middle of the view, in voxels of the first source.

        None where that is of no use: the source is gone, or not a layer.
        """
        if not self._sources or self._sources[0] not in self._viewer.layers:
            return None
        source = self._sources[0]
        there = middle_of_view(self._viewer, source)
        pairs = zip(there, self._axes(source), strict=False)
        return tuple(float(v) for v, axis in pairs if axis in "ZYX")

    def time(self) -> int:
        """Return the time point in view of the first source; 0 where it has none."""
        source = self._sources[0]
        axes = self._axes(source)
        if "T" not in axes:
            return 0
        place = axes.index("T")
        there = round(float(point_in_view(self._viewer, source)[place]))
        return min(max(there, 0), source.data.shape[place] - 1)

    def _put(self, key: str, made: LayerData) -> Image:
        """Add a layer, or change the one that there is; it may lie elsewhere now."""
        layer = self._made.get(key)
        if layer is None:
            layer = self._made[key] = show_anew(self._viewer, made)
        elif layer in self._viewer.layers:
            layer.data = made[0]
            self._move(key, layer, made[1]["translate"])
        self._places[key] = made[1]["translate"]
        return layer

    def _move(self, key: str, layer: Image, place: Any) -> None:
        """Let a layer lie where its field does, wherever the user has moved it."""
        if np.any(place != self._places[key]):  # any change paints the window
            layer.translate = layer.translate + place - self._places[key]

    def _follow(self, key: str, layer: Image, pixels: Any) -> None:
        """Fit the contrast of a layer, unless it is the user's."""
        self._contrast.setdefault(key, Contrast()).follow(layer, pixels)


class LiveLayers(Fields):
    """The layers of one run: the PSF, and the restored crop."""

    def __init__(
        self,
        viewer: ViewerModel,
        sources: Sequence[Image],
        axes: Callable[[Image], str],
    ) -> None:
        super().__init__(viewer, sources, axes)
        self.starts: dict[int, tuple[int, ...]] = {}
        """Return the start of the part of a source that the trainer uses."""

    def show_psf(self, psf: Psf) -> None:
        """Show a PSF next to the first source."""
        layer = self._made.get("psf")
        if layer is None:
            source = self._sources[0]
            name = f"{source.name} · {psf_title(psf)}"
            made = psf_in_view(self._viewer, psf, source, name)
            self._made["psf"] = show_anew(self._viewer, made)
        elif layer in self._viewer.layers:
            layer.data = psf.data.reshape(layer.data.shape)
            layer.contrast_limits = (0, float(layer.data.max()))

    def show_preview(self, event: Previewed) -> None:
        """Show the restored crop, its first channel, at its position."""
        if event.source >= len(self._sources):  # it is from a file, not from a layer
            return
        source = self._sources[event.source]
        axes = self._axes(source)
        spatial = "".join(a for a in axes if a in "ZYX")
        pixels = event.after[0]  # a plane, where planes of a volume are restored
        flat = (1,) * (len(spatial) - pixels.ndim)
        field = Stack(pixels.reshape(*flat, *pixels.shape), spatial)
        key = f"preview {event.source}"
        start = self.starts.get(event.source, (0,) * len(event.corner))
        corner = [a + b for a, b in zip(start, event.corner, strict=True)]
        made = field_layer(source, field, axes, corner, event.time, event.spacing)
        layer = self._put(key, made)
        self._follow(key, layer, pixels)

    def show_before(self, before: bool) -> None:
        """Hide the restored crop above its source, or show it again."""
        for key, layer in self._made.items():
            if key.startswith("preview"):
                layer.visible = not before

    def middle(self) -> tuple[float, ...] | None:
        """Return the middle of the view in voxels of the part that is trained on."""
        there = super().middle()
        if there is None or 0 not in self.starts:
            return there
        return tuple(v - s for v, s in zip(there, self.starts[0], strict=True))


class Contrast:
    """The contrast of a layer that changes, until the user sets it."""

    def __init__(self) -> None:
        self._ours: tuple[float, ...] | None = None

    def follow(self, layer: Image, pixels: Any) -> None:
        """Fit the contrast to pixels, unless it is the user's or nearly right."""
        now = tuple(layer.contrast_limits)
        if self._ours not in (None, now):
            return
        low, high = limits_of(pixels)
        if self._ours is not None and np.allclose(now, (low, high), 0, SLACK * high):
            return  # every change repaints the window
        layer.contrast_limits = (low, high)
        self._ours = tuple(layer.contrast_limits)


def like_its_preview(data: LayerData, preview: Image | None) -> LayerData:
    """Return a result with the contrast of its preview."""
    if preview is not None and not data[1]["rgb"]:
        data[1]["contrast_limits"] = tuple(preview.contrast_limits)
    return data


def preview_of(viewer: ViewerModel, source: Image) -> Image | None:
    """Return the preview on a layer, if there is one."""
    name = f"{source.name} · preview"
    return next((x for x in viewer.layers if x.name == name), None)


def show_anew(viewer: ViewerModel, data: LayerData) -> Image:
    """Show something of ours on top, in the layer of that name from an earlier run.

    It is added if there is none, or if the user has renamed it to keep it.
    """
    pixels, attributes, _ = data
    earlier = (x for x in viewer.layers if x.name == attributes["name"])
    layer = next((x for x in earlier if not is_source(x)), None)
    if layer is None or layer.ndim != pixels.ndim - layer.rgb:
        return add_layer(viewer, data)
    layer.data = pixels
    settings = attributes.keys() & {*PLACE, "metadata", "contrast_limits"}
    for name in settings:
        setattr(layer, name, attributes[name])
    layer.visible = attributes.get("visible", True)
    viewer.layers.move(viewer.layers.index(layer), len(viewer.layers))
    return layer


def add_layer(viewer: ViewerModel, data: LayerData, *, select: bool = False) -> Image:
    """Add an image layer, without changing the user's selection unless requested."""
    pixels, attributes, _ = data
    selected = set(viewer.layers.selection)
    layer = viewer.add_image(pixels, **attributes)
    if not select:
        viewer.layers.selection = selected
    return layer
