"""The background of an image, estimated from its darkest planes."""

from __future__ import annotations

from napari_blurgan.data.stack import Stack

__all__ = ["estimated_background"]

SLABS, THICK = 4, 5
"""Number of runs of planes that are examined in a stack, and planes per run."""


def estimated_background(
    stack: Stack, channel: int | None = None, time: int | None = None
) -> float:
    """Return the grey level of the darkest parts, the lowest of all channels.

    Parameters
    ----------
    stack : Stack
        Some of its planes are read.
    channel, time : int or None
        The only one to look at; None for all channels and the first time point.
    """
    from napari_blurgan.preparation.calibration import background_level

    slabs = [_cut(stack, part).frame(time or 0, channel) for part in _slabs(stack)]
    images = [
        [slab[c].astype("float32") for slab in slabs] for c in range(len(slabs[0]))
    ]
    return max(min(map(background_level, images)), 0.0)


def _slabs(stack: Stack) -> list[slice]:
    """Return runs of planes, whose noise is averaged over neighbours in z as well."""
    planes = stack.size("Z")
    if planes <= SLABS * THICK:
        return [slice(None)]
    starts = [i * (planes - THICK) // (SLABS - 1) for i in range(SLABS)]
    return [slice(start, start + THICK) for start in starts]


def _cut(stack: Stack, planes: slice) -> Stack:
    index = tuple(planes if axis == "Z" else slice(None) for axis in stack.axes)
    return stack.with_data(stack.data[index])
