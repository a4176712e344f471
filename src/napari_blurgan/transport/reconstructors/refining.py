"""A network that refines an estimate."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from napari_blurgan.networks.layers import part_of
from napari_blurgan.transport.reconstructors.network import make_network
from napari_blurgan.transport.reconstructors.reconstructor import Reconstructor
from napari_blurgan.transport.reconstructors.settings import RefiningReconstructor

__all__ = ["Refining", "build_refining"]


class Refining(Reconstructor):
    """G(y) = r + f([y, r]) with an estimate r of one channel."""

    def forward(
        self,
        y: Tensor,
        estimate: Tensor | None = None,
        region: Sequence[slice] | None = None,
    ) -> Tensor:
        """Return the refined estimate."""
        if estimate is None:
            raise ValueError("a refining reconstructor needs an estimate")
        correction = self._run(torch.cat([y, estimate], 1), region)
        if region is not None:
            estimate = part_of(estimate, region)
        return estimate + correction

    def blank(self, patch: Sequence[int], channels: int) -> tuple[Tensor, ...]:
        """Return a measurement and an estimate of zeros."""
        return torch.zeros(1, channels, *patch), torch.zeros(1, 1, *patch)


def build_refining(
    settings: RefiningReconstructor,
    dims: int,
    channels: tuple[int, int],
    pool: tuple[int, ...],
) -> Refining:
    """Return a network with random weights that starts by changing nothing."""
    measured, restored = channels
    return Refining(
        make_network(settings, dims, measured + 1, restored, pool, zero_last=True)
    )
