"""Images held out before training, to measure afterwards what was learned."""

from __future__ import annotations

from collections.abc import Sequence

from napari_blurgan.data.stack import Stack
from napari_blurgan.data.view import RangeView

__all__ = ["set_aside"]

ENOUGH = 10
"""Number of images, time points or planes of which some can be spared."""


def set_aside(
    stacks: Sequence[Stack], share: float, patch: Sequence[int]
) -> tuple[list[Stack], list[Stack]]:
    """Split a data set into a training part and a held-out part.

    Whole images are held out if there are ten or more; otherwise the end of each one
    along time, along z (if patches are planes) or along the longer side of the plane,
    as far as a patch remains on both sides of the cut.

    Parameters
    ----------
    stacks : sequence of Stack
        The data set; nothing of it is read.
    share : float
        Of the images or of their length that is set aside, 0 to 1.
    patch : sequence of int
        (z, y, x) or (y, x) of a patch in voxels.

    Returns
    -------
    kept, aside : list of Stack
        `aside` is empty where nothing can be spared.
    """
    if share <= 0:
        return list(stacks), []
    if len(stacks) >= ENOUGH:
        spared = max(1, round(share * len(stacks)))
        return list(stacks[:-spared]), list(stacks[-spared:])
    parts = [_cut(stack, share, patch) for stack in stacks]
    return [kept for kept, _ in parts], [aside for _, aside in parts if aside]


def _cut(
    stack: Stack, share: float, patch: Sequence[int]
) -> tuple[Stack, Stack | None]:
    """Cut off the end of one stack, if it is long enough for that."""
    smallest = dict(zip("ZYX"[-len(patch) :], patch, strict=True))
    longer = max("YX", key=stack.size)
    for axis in ("T", "Z", longer):
        size, least = stack.size(axis), smallest.get(axis, 1)
        spared = max(least, round(share * size))
        roomy = size >= ENOUGH if axis not in smallest else size - spared >= least
        if axis in stack.axes and roomy:
            return (
                _stretch(stack, axis, 0, size - spared),
                _stretch(stack, axis, size - spared, size),
            )
    return stack, None


def _stretch(stack: Stack, axis: str, start: int, stop: int) -> Stack:
    view = RangeView(stack.data, stack.axes.index(axis), start, stop)
    return stack.with_data(view)
