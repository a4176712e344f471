"""One crop, restored repeatedly while the network learns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from napari_blurgan.data.stack import Stack
from napari_blurgan.estimates.first_look import (
    FIELD,
    around,
    in_planes,
    places,
    spacing,
)
from napari_blurgan.optimisation.engine import Engine
from napari_blurgan.optimisation.prepared import Prepared
from napari_blurgan.transport.draw import Draw

__all__ = ["Preview"]


class Preview:
    """The crop with most structure among a few of the first image, or a requested one.

    Parameters
    ----------
    prepared : Prepared
        The data as the generator gets them, and their levels.
    """

    def __init__(self, prepared: Prepared) -> None:
        site = prepared.site
        self.calibration = site.calibration
        self.source = prepared.source
        self._dims = site.recipe.dims
        self._whole = site.recipe.sampling.whole
        self._number = self._time = 0
        stack = self.source.measured[0]
        self._spacing = spacing(site, stack)
        self.size = self._size(stack)
        self.place = self._liveliest(stack)

    @property
    def corner(self) -> tuple[int, ...]:
        """The first voxel of the crop in the first measured image."""
        offset = _corner(self.source.measured[self._number])
        return tuple(int(a + b) for a, b in zip(self.place, offset, strict=True))

    def look_at(self, middle: Sequence[float] | None, time: int = 0) -> None:
        """Move the crop; None leaves it where it is.

        Parameters
        ----------
        middle : sequence of float or None
            Its middle in voxels of the first measured image, as in its file, which it
            is as near to as that image, or the block of it, allows.
        time : int
            Its time point; of blocks, the nearest that there is.
        """
        blocks = self.source.measured
        if middle is None or len(middle) < len(blocks[0].spatial_shape):
            return
        middle = in_planes(middle, self._spacing)
        of_first = [n for n, s in enumerate(blocks) if s.metadata.get("image", n) == 0]
        self._number = min(
            of_first,
            key=lambda n: (
                abs(_time(blocks[n], time) - time),
                _distance(blocks[n], middle),
            ),
        )
        stack = blocks[self._number]
        self._time = min(time, stack.size("T") - 1)
        self.size = self._size(stack)
        there = np.asarray(middle[-len(self.size) :]) - _corner(stack)
        self.place = around(list(there), self.size, stack.spatial_shape)

    def _size(self, stack: Stack) -> list[int]:
        flat = (1,) * (len(stack.spatial_shape) - self._dims)
        # In a crop of a slice, no line of k-space is zero: all seem to be measured.
        field = flat + (stack.spatial_shape if self._whole else FIELD)[-self._dims :]
        return [min(f, n) for f, n in zip(field, stack.spatial_shape, strict=True)]

    def _liveliest(self, stack: Stack) -> tuple[int, ...]:
        return max(places(stack.spatial_shape, self.size), key=self._liveliness)

    def _liveliness(self, place: tuple[int, ...]) -> float:
        return float(self.source.crop(place, self.size).y[0].numpy().std())

    def of(
        self, engine: Engine
    ) -> tuple[
        NDArray[np.float32], NDArray[np.float32], int, tuple[int, ...], int, float
    ]:
        """Return what `Previewed` says after the step, with the current network."""
        generator = engine.generator
        crop = self.source.crop(self.place, self.size, self._number, self._time)
        seen = Draw.batch([crop], engine.device)
        generator.eval()
        with torch.no_grad():
            after = generator(seen.y, seen.estimate)[0]
        generator.train()
        before = self.calibration.y.undo(seen.y[0].cpu().numpy())
        restored = self.calibration.output.undo(after.cpu().numpy())
        stack = self.source.measured[self._number]
        time = _time(stack, self._time)
        return before, restored, 0, self.corner, time, self._spacing


def _corner(stack: Stack) -> tuple[int, ...]:
    """Return where a block lies in its image; an image lies at its own origin."""
    known: tuple[int, ...] = stack.metadata.get("corner", ())
    return known or (0,) * len(stack.spatial_shape)


def _time(stack: Stack, asked: int) -> int:
    """Return the time point of a block, or that of an image nearest to one."""
    known: int | None = stack.metadata.get("time_point")
    return min(asked, stack.size("T") - 1) if known is None else known


def _distance(stack: Stack, middle: Sequence[float]) -> float:
    """Return how far a voxel of an image lies outside of a block of it."""
    low = np.array(_corner(stack))
    there = np.asarray(middle[-len(low) :])
    nearest = np.clip(there, low, low + stack.spatial_shape - 1)
    return float(np.abs(there - nearest).sum())
