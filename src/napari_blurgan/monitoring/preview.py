"""One fixed crop, restored again and again while the network learns."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from napari_blurgan.data.stack import Stack
from napari_blurgan.estimates.first_look import FIELD, places
from napari_blurgan.optimisation.engine import Engine
from napari_blurgan.optimisation.prepared import Prepared
from napari_blurgan.transport.draw import Draw

__all__ = ["Preview"]


class Preview:
    """The liveliest of a few crops of the first measured image.

    Parameters
    ----------
    prepared : Prepared
        The data as the generator gets them, and their levels.
    """

    def __init__(self, prepared: Prepared) -> None:
        site = prepared.site
        self.calibration = site.calibration
        self.source = prepared.source
        stack = self.source.measured[0]
        dims, axes = site.recipe.dims, len(stack.spatial_shape)
        field = (1,) * (axes - dims) + FIELD[-dims:]
        self.size = [min(f, n) for f, n in zip(field, stack.spatial_shape, strict=True)]
        self.place = self._liveliest(stack)
        offset = stack.metadata.get("corner", (0,) * axes)
        self.corner = tuple(int(a + b) for a, b in zip(self.place, offset, strict=True))

    def _liveliest(self, stack: Stack) -> tuple[int, ...]:
        return max(places(stack.spatial_shape, self.size), key=self._liveliness)

    def _liveliness(self, place: tuple[int, ...]) -> float:
        return float(self.source.crop(place, self.size).y[0].numpy().std())

    def of(
        self, engine: Engine
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], int, tuple[int, ...]]:
        """Return (before, after, source, corner) with the network as it is now."""
        generator = engine.generator
        seen = Draw.batch([self.source.crop(self.place, self.size)], engine.device)
        generator.eval()
        with torch.no_grad():
            after = generator(seen.y, seen.estimate)[0]
        generator.train()
        before = self.calibration.y.undo(seen.y[0].cpu().numpy())
        return before, self.calibration.output.undo(after.cpu().numpy()), 0, self.corner
