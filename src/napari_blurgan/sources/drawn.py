"""Blocks, and the sampler that draws patches from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from napari_blurgan.data.normalize import Normalization
from napari_blurgan.data.stack import Stack
from napari_blurgan.estimates.blocks import Blocks
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.preparation.site import Site
from napari_blurgan.sampling.patches import PatchSampler
from napari_blurgan.transport.draw import named

__all__ = ["Drawn"]

UNIT = Normalization(0.0, 1.0)


class Drawn:
    """Patches of blocks, which are renewed in turn.

    Parameters
    ----------
    blocks : Blocks
        What is drawn from.
    site : Site
        The recipe and the size of a patch.
    rng : numpy.random.Generator
        Of the sampler.
    """

    def __init__(self, blocks: Blocks, site: Site, rng: np.random.Generator) -> None:
        self.blocks = blocks
        self.sampler = PatchSampler(
            blocks.stacks,
            site.geometry.patch,
            normalization=UNIT,
            rng=rng,
            foreground=site.recipe.sampling.foreground,
            reflect=True,
            augmentation=site.augmentation,
        )

    @property
    def stacks(self) -> Sequence[Stack]:
        """The blocks as patches are drawn from them."""
        return self.sampler.stacks

    def draw(self) -> dict[str, Tensor]:
        """Return a random patch, by the names of its channels in `Draw`."""
        return named(self.sampler.draw(), self.blocks.enrich.names)

    def renew_next(self, blur: BlurKernel) -> None:
        """Update the next block."""
        self.blocks.renew_next(blur)
        self._hand_on()

    def renew_in_time(self, blur: BlurKernel) -> None:
        """Update the next block; a large one not every time."""
        self.blocks.renew_in_time(blur)
        self._hand_on()

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the random numbers and of the blocks."""
        return {"sampler": self.sampler.state(), "blocks": self.blocks.state_dict()}

    def load_state_dict(self, state: dict[str, Any], blur: BlurKernel) -> None:
        """Restore a state from `state_dict`."""
        self.sampler.set_state(state["sampler"])
        self.blocks.load_state_dict(state["blocks"], blur)
        self._hand_on()

    def _hand_on(self) -> None:
        self.sampler.stacks = tuple(self.blocks.stacks)
