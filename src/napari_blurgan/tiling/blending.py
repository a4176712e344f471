"""Blended seams, for operators whose tiles cannot agree with the whole."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.tiling.tiling import Region, Tile, Tiling

__all__ = ["Blend"]


class Blend:
    """Overlap-add with raised-cosine ramps across the seams between tiles.

    Each tile contributes its core and half a halo around it; at every voxel the weights
    of all tiles sum to one. One frame of the result is held in memory.

    Parameters
    ----------
    tiling : Tiling
        The tiles; reaches are at most half a halo and half a core.
    channels : int
        Of the result.
    """

    def __init__(self, tiling: Tiling, channels: int) -> None:
        self.tiling = tiling
        self.reach = tuple(
            min(h // 2, c // 2) if n > 1 else 0
            for h, c, n in zip(tiling.halo, tiling.core, tiling.counts, strict=True)
        )
        self.frame = np.zeros((channels, *tiling.shape), np.float32)

    def widened(self, tile: Tile) -> Region:
        """Return the core and everything within reach of it, inside the volume."""
        return tuple(
            slice(max(c.start - r, 0), min(c.stop + r, n))
            for c, r, n in zip(tile.core, self.reach, self.tiling.shape, strict=True)
        )

    def add(self, tile: Tile, block: NDArray[np.float32]) -> None:
        """Add the result of `tile` in the region `widened`."""
        region = self.widened(tile)
        weight = np.ones((), np.float32)
        for axis, (core, wide) in enumerate(zip(tile.core, region, strict=True)):
            ramp = self._ramp(axis, core, wide)
            weight = np.multiply.outer(weight, ramp)
        self.frame[(slice(None), *region)] += weight * block

    def _ramp(self, axis: int, core: slice, wide: slice) -> NDArray[np.float32]:
        centres = np.arange(wide.start, wide.stop, dtype=np.float64) + 0.5
        reach, length = self.reach[axis], self.tiling.shape[axis]
        ramp = np.ones(len(centres))
        if reach and core.start > 0:
            ramp *= _rise((centres - core.start) / reach)
        if reach and core.stop < length:
            ramp *= _rise((core.stop - centres) / reach)
        return ramp.astype(np.float32)


def _rise(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a Hann ramp: 0 at -1, 1/2 at 0, 1 at 1; its mirror image completes it."""
    return (1 + np.sin(math.pi / 2 * position.clip(-1, 1))) / 2
