"""One fixed crop, restored again and again while the network learns."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from napari_blurgan.data.regions import read_region
from napari_blurgan.data.stack import Stack
from napari_blurgan.transport.engine import Engine
from napari_blurgan.transport.preparation import Prepared

__all__ = ["Preview"]

FIELD = (16, 96, 96)
"""Largest crop in voxels: seen often, so it must be cheap."""


class Preview:
    """The liveliest of a few crops of the first measured image.

    Parameters
    ----------
    prepared : Prepared
        The data as the generator gets them, and their levels.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.calibration = prepared.calibration
        self.sampler = prepared.y
        self.measured = prepared.channels[0]
        stack = self.sampler.stacks[0]
        dims, axes = len(prepared.geometry.patch), len(stack.spatial_shape)
        field = (1,) * (axes - dims) + FIELD[-dims:]
        self.size = [min(f, n) for f, n in zip(field, stack.spatial_shape, strict=True)]
        self.place = self._liveliest(stack)
        offset = stack.metadata.get("corner", (0,) * axes)
        self.corner = tuple(int(a + b) for a, b in zip(self.place, offset, strict=True))
        self.squeezed = dims < axes

    def _liveliest(self, stack: Stack) -> tuple[int, ...]:
        spare = np.array(stack.spatial_shape) - self.size
        places = [tuple(int(v) for v in spare * f) for f in (0.25, 0.5, 0.75)]
        return max(places, key=lambda place: float(self._read(place)[0].std()))

    def _read(self, place: tuple[int, ...]) -> NDArray[np.float32]:
        stack = self.sampler.stacks[0]
        region = read_region(stack, 0, place, self.size, range(stack.channels))
        return self.sampler.normalization.apply(region)

    def of(
        self, engine: Engine
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], int, tuple[int, ...]]:
        """Return (before, after, source, corner) with the network as it is now."""
        generator = engine.generator
        image = self._read(self.place)
        image = image[:, 0] if self.squeezed else image
        generator.eval()
        with torch.no_grad():
            after = generator(torch.from_numpy(image)[None].to(engine.device))[0]
        generator.train()
        before = self.calibration.y.undo(image[: self.measured])
        return before, self.calibration.output.undo(after.cpu().numpy()), 0, self.corner
