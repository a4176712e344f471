"""`Pointer`: clicks and drags on the canvas, as positions in one image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.errors import DataError

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

__all__ = ["Pointer", "place_in"]

OPAQUE = ("opaque", "translucent", "translucent_no_depth")
"""Blending modes in which a layer hides those below it."""
SEEN_THROUGH = 0.95
"""Opacity below which layers underneath are visible."""


class Pointer:
    """Takes over the mouse from napari while it is on.

    Parameters
    ----------
    viewer : napari viewer
        Whose canvas.
    picked : callable
        Called with a place in the world, where the mouse was pressed and on its way.
    far : callable
        Returns how far in the world two places along a drag are apart at the least.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        picked: Callable[[Any], object],
        far: Callable[[], float],
    ) -> None:
        self._viewer = viewer
        self._picked = picked
        self._far = far

    @property
    def on(self) -> bool:
        """Whether the mouse picks; changes are emitted."""
        return self._on_mouse in self._viewer.mouse_drag_callbacks

    @on.setter
    def on(self, on: bool) -> None:
        callbacks = self._viewer.mouse_drag_callbacks
        if on and not self.on:
            callbacks.append(self._on_mouse)
        elif self.on and not on:
            callbacks.remove(self._on_mouse)

    def _on_mouse(self, viewer: Any, event: Any) -> Iterator[None]:
        """Pick where the mouse is pressed, and along its path."""
        if event.button != 1:
            return
        camera = viewer.scene.camera
        panning = camera.mouse_pan
        last = np.asarray(event.position)
        self._picked(last)
        camera.mouse_pan = False  # after the first disc: a new layer sets it anew
        yield
        while event.type == "mouse_move":
            here = np.asarray(event.position)
            if np.linalg.norm(here - last) >= self._far():
                self._picked(here)
                last = here
            yield
        camera.mouse_pan = panning


def place_in(viewer: ViewerModel, layer: Image, position: Any) -> NDArray[np.float64]:
    """Return the voxel of a layer that is visible at a world position.

    Raises
    ------
    DataError
        If it is not seen there: outside, hidden, or below another image.
    """
    if viewer.dims.ndisplay == 3:
        raise DataError("Picking needs a 2D view: switch the view from 3D to 2D")
    if not layer.visible:
        raise DataError(f"{layer.name} is hidden: show it to pick in it")
    above = [*viewer.layers][viewer.layers.index(layer) + 1 :]
    for other in reversed(above):
        if _covers(other) and _voxel(other, position) is not None:
            raise DataError(
                f"That is {other.name}, which lies above {layer.name}: choose it as "
                "the layer to pick in, or hide it"
            )
    place = _voxel(layer, position)
    if place is None:
        raise DataError(f"That is outside {layer.name}: click inside the image")
    return place


def _covers(layer: Any) -> bool:
    return bool(
        hasattr(layer, "rgb")
        and layer.visible
        and layer.opacity >= SEEN_THROUGH
        and str(layer.blending) in OPAQUE
    )


def _voxel(layer: Any, position: Any) -> NDArray[np.float64] | None:
    """Return the voxel of a layer at a world position; None outside."""
    here = np.asarray(position)[-layer.ndim :]
    place = np.round(np.asarray(layer.world_to_data(here)))
    shape = (layer.data[0] if layer.multiscale else layer.data).shape[: layer.ndim]
    inside = (place >= 0).all() and (place < shape).all()
    return place if inside else None
