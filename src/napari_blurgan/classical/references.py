"""Sharp references: deconvolved volumes for unpaired training, separate from its crops.

Lim et al. (2020) trained with sharp volumes made by a deconvolution program. A sharp
set from your own stacks is valid only if training never sees the voxels from which it
was made: here each stack is divided in two, and only one part is deconvolved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_blurgan.classical.methods import METHODS
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError, RecipeError
from napari_blurgan.inverse.plan import Plan
from napari_blurgan.inverse.psf_fit import PsfLike, fit_psf

__all__ = ["SharpReference", "make_sharp_references"]

Region = tuple[slice, ...]


@dataclass(frozen=True)
class SharpReference:
    """A stack divided in two: one part deconvolved, the other left for training.

    Attributes
    ----------
    sharp, blurred : Stack
        The deconvolved part, float32, and the part to train on, as it was; (z, y, x)
        or (y, x), with T in front where there are time points.
    sharp_region, blurred_region : tuple of slice
        Where in the stack they lie, along its spatial axes. They do not touch.
    notes : tuple of str
        What was done to the PSF and found in the image, in words.
    """

    sharp: Stack
    blurred: Stack
    sharp_region: Region
    blurred_region: Region
    notes: tuple[str, ...] = ()


def make_sharp_references(
    stacks: Sequence[Stack],
    psf: PsfLike,
    method: str = "rl",
    *,
    share: float = 0.5,
    channel: int = 0,
    last: bool = False,
    device: str | None = None,
    **parameters: Any,
) -> list[SharpReference]:
    """Deconvolve a part of every stack and keep the rest for training.

    The stack is divided along the longer of y and x, alternately with the sharp part
    first and last. Between the parts the width of the PSF is left out, so that no
    object contributes to both.

    Parameters
    ----------
    stacks : sequence of Stack
        Blurred stacks, of one channel or more.
    psf : Psf or ndarray
        Of that channel.
    method : str
        One of `METHODS`. A PSF learned against these references is the blur between
        the two sets: whatever blur the method leaves is missing from it.
    share : float
        Of the voxels for the sharp part, between 0 and 1.
    channel : int
        Which channel, counted from 0.
    last : bool
        Whether the sharp part of the first stack is its last.
    device : str, optional
        As for `Plan`.
    **parameters
        Of the method, and its options.

    Raises
    ------
    RecipeError
        If there is no such method, or `share` is no share.
    DataError
        If a stack is too small to be cut.
    """
    if method not in METHODS:
        raise RecipeError(f"no method {method!r}; there are {', '.join(METHODS)}")
    if not 0 < share < 1:
        raise RecipeError(f"share is between 0 and 1, found {share}")
    references = []
    for number, stack in enumerate(stacks):
        fitted, notes = fit_psf(psf, stack.spatial_shape, stack.voxel_size)
        ours, theirs = cut(stack, fitted.shape, share, last != (number % 2 == 1))
        frames = [stack.frame(time, channel)[0] for time in range(stack.size("T"))]
        plan = Plan(fitted, frames[0][ours].shape, device=device)
        function = METHODS[method].function
        found = [function(frame[ours], plan, **parameters) for frame in frames]
        sharp = [result.image for result in found]
        said = (*notes, *(note for result in found for note in result.notes))
        blurred = [frame[theirs] for frame in frames]
        references.append(
            SharpReference(
                _as_stack(stack, sharp, "sharp"),
                _as_stack(stack, blurred, "blurred"),
                ours,
                theirs,
                tuple(dict.fromkeys(said)),
            )
        )
    return references


def cut(
    stack: Stack, psf_shape: Sequence[int], share: float, last: bool
) -> tuple[Region, Region]:
    """Return two regions separated by the width of the PSF; sharp one first or last.

    Raises
    ------
    DataError
        If a part would be narrower than the PSF.
    """
    shape = stack.spatial_shape
    axis = max(len(shape) - 2, len(shape) - 1, key=lambda a: shape[a])
    width = psf_shape[axis - len(shape)]
    room = shape[axis] - width
    ours = round(share * room)
    if min(ours, room - ours) < width:
        raise DataError(
            f"{stack.name}: {shape[axis]} voxels are too few to make {share:.0%} of "
            f"them sharp, keep the rest and leave {width} between; take larger stacks, "
            "or crop the PSF"
        )
    start = shape[axis] - ours if last else 0
    rest = 0 if last else shape[axis] - (room - ours)
    whole = [slice(None)] * len(shape)
    sharp, blurred = list(whole), list(whole)
    sharp[axis] = slice(start, start + ours)
    blurred[axis] = slice(rest, rest + room - ours)
    return tuple(sharp), tuple(blurred)


def _as_stack(stack: Stack, frames: Sequence[np.ndarray], what: str) -> Stack:
    timed = "T" in stack.axes
    return Stack(
        np.stack(frames) if timed else frames[0],
        ("T" if timed else "") + stack.spatial_axes,
        stack.voxel_size,
        f"{stack.name} · {what}",
    )
