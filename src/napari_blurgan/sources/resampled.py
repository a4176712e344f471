"""Measurements that are simulated from the estimates: pairs whose truth is known.

The parametric bootstrap (Efron, Ann. Stat. 7, 1, 1979): an estimate made of a measured
image is taken for the truth, and measured again as often as one likes. From such pairs,
G learns how estimates differ from what they are estimates of, at the noise of the
images, and its gradients are free of the noise of hidden photons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from napari_blurgan.data.stack import Stack
from napari_blurgan.estimates.blocks import Blocks, Simulated
from napari_blurgan.heldout.regions import REGION, middle_of
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.preparation.site import Site
from napari_blurgan.sources.drawn import UNIT, Drawn

__all__ = ["Resampled"]

IMAGES = 4
"""Number of blocks of which a part is estimated and measured again."""


class Resampled(Drawn):
    """Patches of estimates and of their simulated measurements.

    Parameters
    ----------
    measured : sequence of Stack
        Blocks in normalised intensities, of which the first channel is measured.
    simulated : Simulated
        What measures an estimate again.
    site : Site
        The recipe and the size of a patch.
    """

    def __init__(
        self, measured: Sequence[Stack], simulated: Simulated, site: Site
    ) -> None:
        chosen = np.unique(np.linspace(0, len(measured) - 1, IMAGES).round())
        parts = [_part_of(measured[int(n)]) for n in chosen]
        # The photons of block n were set aside with the seed [seed, n].
        rng = np.random.default_rng([site.recipe.seed, len(measured)])
        super().__init__(Blocks(parts, UNIT, site.recipe.dims, simulated), site, rng)
        self.estimator = simulated.estimator
        self._estimated = False

    def renew_next(self, blur: BlurKernel) -> None:
        """Measure the next estimate again."""
        self._estimate(blur)
        super().renew_next(blur)

    def load_state_dict(self, state: dict[str, Any], blur: BlurKernel) -> None:
        """Restore a state from `state_dict`."""
        self._estimate(blur)
        super().load_state_dict(state, blur)

    def _estimate(self, blur: BlurKernel) -> None:
        """Put the estimates in place of the images that they are made of, once."""
        if self._estimated:
            return
        self._estimated = True
        for n, stack in enumerate(self.blocks.stacks):
            data = np.array(stack.data)
            image = torch.from_numpy(data[None, :1]).to(blur.gain.device)
            data[:1] = self.estimator(image, blur)[0, -1:].cpu().numpy()
            self.blocks.stacks[n] = stack.with_data(data)


def _part_of(block: Stack) -> Stack:
    """Return the measured channel of the middle of a block."""
    image = np.asarray(block.data)[0]
    part = np.ascontiguousarray(image[middle_of(image.shape, REGION)])
    return replace(block, data=part, axes=block.axes[1:], metadata={})
