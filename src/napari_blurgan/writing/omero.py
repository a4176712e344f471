"""Display settings of channels in OME-Zarr: names, colours, windows.

All three are compulsory once a channel is named (https://ngff.openmicroscopy.org/0.5/,
"omero"), and readers rely on them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["channels", "set_windows"]

ALONE = "FFFFFF"
TOGETHER = ("00FFFF", "FF00FF", "FFFF00", "FF0000", "00FF00", "0000FF")


def channels(names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the entries of named channels, their windows still empty."""
    colours = itertools.cycle(TOGETHER if len(names) > 1 else (ALONE,))
    return [
        {"label": name, "color": colour, "active": True, "window": _window(0.0, 0.0)}
        for name, colour in zip(names, colours, strict=False)
    ]


def set_windows(ome: dict[str, Any], array: Any) -> None:
    """Set the window of each named channel to its range in `array`.

    Parameters
    ----------
    ome : dict
        The metadata of an image, changed in place.
    array : zarr.Array
        One of its levels; read a chunk at a time.
    """
    letters = [axis["name"] for axis in ome["multiscales"][0]["axes"]]
    for number, entry in enumerate(ome.get("omero", {}).get("channels", ())):
        start, shape = [0] * array.ndim, list(array.shape)
        if "c" in letters:
            start[letters.index("c")], shape[letters.index("c")] = number, 1
        entry["window"] = _window(*_range(array, start, shape))


def _range(
    array: Any, start: Sequence[int], shape: Sequence[int]
) -> tuple[float, float]:
    lows, highs = [], []
    steps = [
        range(s, s + n, c) for s, n, c in zip(start, shape, array.chunks, strict=True)
    ]
    for corner in itertools.product(*steps):
        box = tuple(
            slice(a, min(a + c, s + n))
            for a, c, s, n in zip(corner, array.chunks, start, shape, strict=True)
        )
        block = np.asarray(array[box])
        lows.append(float(block.min()))
        highs.append(float(block.max()))
    return min(lows), max(highs)


def _window(low: float, high: float) -> dict[str, float]:
    return {"min": low, "max": high, "start": low, "end": high}
