"""Sample images in two modalities for transformation: dim cells, and stained ones."""

from __future__ import annotations

import napari
import numpy as np
from qtpy.QtCore import QTimer

from napari_blurgan.data.stack import Stack
from napari_blurgan.widgets._layers import LayerData, stack_layer

__all__ = ["cells"]

FRAMES, SIDE = 200, 64
NOISE = 0.01
"""Low enough that no bright pixel reaches the largest of 8 bits."""


def cells() -> list[LayerData]:
    """Return 200 grey fields of few cells, and 200 other ones of many, stained."""
    from napari_blurgan.optics.phantoms import stained_cells

    shape = (SIDE, SIDE)
    few = [
        stained_cells(shape, seed=s, count=(2, 4), noise=NOISE).grey
        for s in range(FRAMES)
    ]
    many = [
        stained_cells(shape, seed=FRAMES + s, count=(4, 7), noise=NOISE).colour
        for s in range(FRAMES)
    ]
    grey, stain = ((255 * np.stack(m)).astype(np.uint8) for m in (few, many))
    _show_both()
    return [
        stack_layer(
            Stack(stain, "TYXS", name="stained cells"), translate=(0, 0, SIDE + 8)
        ),
        stack_layer(Stack(grey, "TYX", name="dim cells")),
    ]


def _show_both() -> None:
    """Bring both layers into view, once they are there: napari shows the first."""
    viewer = napari.current_viewer()
    if viewer is not None and not viewer.layers:
        QTimer.singleShot(0, viewer.reset_view)
