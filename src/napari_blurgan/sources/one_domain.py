"""A source of measured images only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from napari_blurgan.data.regions import read_region
from napari_blurgan.optics.forward import ForwardModel
from napari_blurgan.preparation.site import Site
from napari_blurgan.sampling.patches import sampler_of
from napari_blurgan.sources.source import Source
from napari_blurgan.transport.draw import Draw

__all__ = ["OneDomain"]


class OneDomain(Source):
    """Patches of y.

    Parameters
    ----------
    site : Site
        The data.
    """

    def __init__(self, site: Site) -> None:
        recipe = site.recipe
        self.sampler = sampler_of(recipe.sampling.whole)(
            site.y,
            recipe.patch,
            normalization=site.calibration.y,
            rng=np.random.default_rng(recipe.seed),
            foreground=recipe.sampling.foreground,
            reflect=True,
            augmentation=site.augmentation,
        )
        self.measured = self.sampler.stacks

    def draw(self) -> Draw:
        """Return a random patch."""
        return Draw(y=self.sampler.draw())

    def crop(
        self,
        corner: Sequence[int],
        size: Sequence[int],
        number: int = 0,
        time: int = 0,
    ) -> Draw:
        """Return a region of an image."""
        stack, axes = self.measured[number], len(self.sampler.patch)
        region = read_region(stack, time, corner, size, range(stack.channels))
        image = torch.from_numpy(self.sampler.normalization.apply(region))
        return Draw(y=image[:, 0] if image.ndim > 1 + axes else image)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the random numbers."""
        return {"sampler": self.sampler.state()}

    def load_state_dict(self, state: dict[str, Any], forward: ForwardModel) -> None:
        """Restore a state from `state_dict`."""
        self.sampler.set_state(state["sampler"])
