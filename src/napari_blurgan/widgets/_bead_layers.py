"""Beads as points layers: rings to click, and the verdict on each bead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_blurgan.widgets._layers import PLACE

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Points

    from napari_blurgan.identification.beads import BeadReport

__all__ = ["add_clicked_beads", "show_found_beads"]

CLICKED, TAKEN, LEFT_OUT = "#F0E442", "#56B4E9", "#D55E00"
"""Okabe and Ito's colours, which colour-blind people can distinguish; symbols differ
too."""
ACROSS = 12
"""Diameter of a ring in pixels: the bead stays visible in it."""
RINGS: dict[str, Any] = {
    "size": ACROSS,
    "face_color": "transparent",
    "border_width": 0.1,
}


def add_clicked_beads(viewer: ViewerModel, source: Image) -> Points:
    """Add a layer of rings over an image of beads, ready to be clicked."""
    points = viewer.add_points(
        ndim=source.ndim,
        name=f"{source.name} · beads",
        border_color=CLICKED,
        **RINGS,
        **{name: getattr(source, name) for name in PLACE},
    )
    points.mode = "add"
    return points


def show_found_beads(viewer: ViewerModel, source: Image, found: BeadReport) -> None:
    """Mark the beads that were found: rings for used ones, crosses with the reason.

    Marks of an earlier measurement in the same image are replaced.
    """
    name = f"{source.name} · found beads"
    for earlier in [layer for layer in viewer.layers if layer.name == name]:
        viewer.layers.remove(earlier)
    good = [bead in found.good for bead in found.beads]
    selected = set(viewer.layers.selection)
    viewer.add_points(
        np.array([_place(bead.centre, source) for bead in found.beads]),
        name=name,
        border_color=[TAKEN if g else LEFT_OUT for g in good],
        symbol=["disc" if g else "cross" for g in good],
        features={"verdict": [bead.verdict for bead in found.beads]},
        **RINGS,
        **{name: getattr(source, name) for name in PLACE},
    )
    viewer.layers.selection = selected


def _place(centre: tuple[float, ...], source: Image) -> list[float]:
    """Return a position in the source, at the first index of non-spatial axes."""
    spatial = min(source.ndim, len(centre))
    return [0.0] * (source.ndim - spatial) + list(centre[-spatial:])
