"""Voxels whose values were cut off: saturated or clipped."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.stack import Stack

__all__ = ["clipped_share", "cut_off", "exposure_notes", "saturated_share"]

PLANES = 64
"""Number of planes of a channel that are examined, evenly spaced."""
BITS = (8, 10, 12, 14, 16)
LEAST, FEW = 1e-5, 3  # of the voxels, and voxels, at the top: fewer may be by chance
WIDE = 2**16 - 1  # with this many levels nothing reaches the top by chance
FLAT, PILED = 1e-2, 8  # share of the voxels, and multiple of those at one, at zero


def exposure_notes(
    stack: Stack, channel: int | None = None, time: int | None = None
) -> tuple[str, ...]:
    """Return notes on the voxels of an image that are saturated or clipped.

    Parameters
    ----------
    stack : Stack
        Up to `PLANES` planes of each channel are read.
    channel, time : int, optional
        The only ones to look at, counted from 0; all by default.
    """
    if np.dtype(stack.data.dtype).kind not in "ui" or 0 in stack.data.shape:
        return ()
    channels = range(stack.channels) if channel is None else [channel]
    notes: list[str] = []
    for number in channels:
        pixels = _planes(stack, number, time)
        where = f"channel {number}: " if len(channels) > 1 else ""
        notes += [where + note for note in cut_off(pixels)]
    return tuple(notes)


def cut_off(pixels: NDArray[Any]) -> tuple[str, ...]:
    """Return notes on recorded pixels that are saturated or clipped."""
    high, low = saturated_share(pixels), clipped_share(pixels)
    notes = []
    if high:
        notes.append(
            f"{_percent(high)} of the voxels are saturated (at {pixels.max()}): their "
            "true values are higher, and the result is too low there"
        )
    if low:
        notes.append(
            f"{_percent(low)} of the voxels are 0, many more than are 1: clipped "
            "at the bottom, or filled in; use images as they were recorded"
        )
    return tuple(notes)


def saturated_share(pixels: NDArray[Any]) -> float:
    """Return the share of voxels at the maximum of the dtype or of a camera's bits."""
    if pixels.dtype.kind not in "ui" or pixels.size == 0:
        return 0.0
    top = int(pixels.max())
    tops = {2**bits - 1 for bits in BITS} | {int(np.iinfo(pixels.dtype).max)}
    if top not in tops:
        return 0.0
    count = np.count_nonzero(pixels == top)
    # An image scaled to 8 bits has a single brightest voxel: that is not saturation.
    few = count < FEW or count < LEAST * pixels.size
    return 0.0 if few and top < WIDE else float(count / pixels.size)


def clipped_share(pixels: NDArray[Any]) -> float:
    """Return the share of voxels at zero, if noise cannot explain so many."""
    if pixels.dtype.kind != "u" or pixels.size == 0 or pixels.max() < 8:
        return 0.0
    zeros, ones, twos = (float(np.mean(pixels == level)) for level in (0, 1, 2))
    # With few photons, two in a voxel are much rarer than one.
    return zeros if zeros > max(FLAT, PILED * ones) and twos > ones / 2 else 0.0


def _planes(stack: Stack, channel: int, time: int | None) -> NDArray[Any]:
    """Return planes of one channel, evenly spaced over z and time."""
    times = stack.size("T") if time is None else 1
    deep = max(1, PLANES // max(1, min(times, 8)))
    index: dict[str, Any] = {
        "Z": slice(None, None, -(-stack.size("Z") // deep)),
        "T": slice(None, None, -(-times // 8))
        if time is None
        else slice(time, time + 1),
        "C": slice(channel, channel + 1),
        "S": slice(channel, channel + 1),
    }
    whole = slice(None)
    return np.asarray(stack.data[tuple(index.get(a, whole) for a in stack.axes)])


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 1e-3 else "less than 0.1%"
