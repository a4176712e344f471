"""A network that refines an estimate."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from napari_blurgan.methods.reconstructors import RefiningReconstructor
from napari_blurgan.networks.layers import part_of
from napari_blurgan.networks.resnet import ResNet
from napari_blurgan.networks.unet import UNet
from napari_blurgan.reconstructors.network import make_network
from napari_blurgan.reconstructors.reconstructor import Reconstructor

__all__ = ["Refining", "build_refining"]


class Refining(Reconstructor):
    """G(y) = r + f([y, ..., r]), where r is the last of one or more estimates.

    Parameters
    ----------
    network : UNet or ResNet
        f.
    depths : int
        Number of estimates.
    """

    def __init__(self, network: UNet | ResNet, depths: int = 1) -> None:
        super().__init__(network)
        self.depths = depths

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
        best = estimate[:, -1:]
        return (best if region is None else part_of(best, region)) + correction

    def blank(self, patch: Sequence[int], channels: int) -> tuple[Tensor, ...]:
        """Return a measurement and estimates of zeros."""
        return torch.zeros(1, channels, *patch), torch.zeros(1, self.depths, *patch)


def build_refining(
    settings: RefiningReconstructor,
    dims: int,
    channels: tuple[int, int],
    pool: tuple[int, ...],
) -> Refining:
    """Return a network with random weights whose initial correction is zero."""
    measured, restored = channels
    seen = measured + settings.depths
    network = make_network(settings, dims, seen, restored, pool, zero_last=True)
    return Refining(network, settings.depths)
