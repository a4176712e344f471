"""`Picks`: the discs picked in one layer, as a points layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from napari_blurgan.content.picking import Region
from napari_blurgan.widgets._mask import PLACE

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Points

__all__ = ["BACKGROUND", "COLOURS", "FOREGROUND", "Picks"]

BACKGROUND, FOREGROUND = "background", "foreground"
COLOURS = {BACKGROUND: "#56B4E9", FOREGROUND: "#E69F00"}
"""Okabe and Ito's colours, which colour-blind people can distinguish."""


class Picks:
    """Discs of background and foreground in an image.

    They are stored in a points layer: discs deleted there are also deleted here.

    Parameters
    ----------
    viewer : napari viewer
        Where the points go.
    image : napari.layers.Image
        What is picked in.
    axes : str
        Its axes.
    changed : callable
        Called after every change, whoever made it.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        image: Image,
        axes: str,
        changed: Callable[[], object],
    ) -> None:
        self._viewer = viewer
        self._image = image
        self._changed = changed
        self._places = [i for i, a in enumerate(axes) if a not in "CS"]
        self.points: Points | None = None

    def add(self, kind: str, place: ArrayLike, radius: float) -> None:
        """Add a disc at data coordinates of the image."""
        points = self._layer()
        points.feature_defaults = {"kind": kind, "radius": radius}
        points.current_size = 2 * radius + 1
        points.current_face_color = COLOURS[kind]
        points.add(np.round(np.asarray(place, dtype=float)))
        points.selected_data = set()

    def undo(self) -> None:
        """Remove the last disc."""
        points = self._shown
        if points is not None and len(points.data):
            _remove(points, [len(points.data) - 1])

    def clear(self) -> None:
        """Remove all discs."""
        points = self._shown
        if points is not None:
            _remove(points, range(len(points.data)))

    def let_go(self) -> None:
        """Follow the layer of points no more; it stays, for it is the user's work."""
        if self.points is not None:
            self.points.events.data.disconnect(self._on_data)

    def regions(self, kind: str) -> list[Region]:
        """Return the discs of one kind, without a position along the channels."""
        points = self._shown
        if points is None:
            return []
        columns = (points.data, points.features["kind"], points.features["radius"])
        return [
            Region(tuple(float(place[i]) for i in self._places), float(radius))
            for place, what, radius in zip(*columns, strict=True)
            if what == kind
        ]

    @property
    def _shown(self) -> Points | None:
        """The layer of points; None before there is one, or when it was deleted."""
        return self.points if self.points in self._viewer.layers else None

    def _layer(self) -> Points:
        if self._shown is None:
            selected = set(self._viewer.layers.selection)
            self.points = self._viewer.add_points(**self._attributes())
            self.points.events.data.connect(self._on_data)
            self._viewer.layers.selection = selected
        return self.points

    def _attributes(self) -> dict[str, Any]:
        image = self._image
        return {name: getattr(image, name) for name in PLACE} | {
            "ndim": image.ndim,
            "name": f"{image.name} · picked",
            "features": {"kind": np.array([], str), "radius": np.array([], float)},
            "opacity": 0.6,
            "border_width": 0,
        }

    def _on_data(self, event: Any) -> None:
        if str(getattr(event, "action", "")) in ("added", "removed", "changed"):
            self._changed()


def _remove(points: Points, which: Sequence[int]) -> None:
    points.selected_data = set(which)
    points.remove_selected()
