"""RGB images: what is intensity in them, and what is not."""

from __future__ import annotations

from napari_blurgan.data.stack import Stack
from napari_blurgan.data.view import RangeView

__all__ = ["without_alpha"]


def without_alpha(stack: Stack) -> Stack:
    """Return an RGBA image as RGB, still lazy; any other as it is.

    The fourth sample says how opaque a pixel is to be shown: no intensity.
    """
    if stack.size("S") != 4:
        return stack
    data = RangeView(stack.data, stack.axes.index("S"), 0, 3)
    return stack.with_data(data)
