"""A plain network."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from napari_blurgan.methods.reconstructors import PlainReconstructor
from napari_blurgan.networks.layers import part_of
from napari_blurgan.networks.resnet import ResNet
from napari_blurgan.networks.unet import UNet
from napari_blurgan.reconstructors.network import make_network
from napari_blurgan.reconstructors.reconstructor import Reconstructor

__all__ = ["Plain", "build_plain"]


class Plain(Reconstructor):
    """G(y) = f(y), or y + f(y).

    Parameters
    ----------
    network : UNet or ResNet
        f.
    residual : bool
        Whether y is added.
    """

    def __init__(self, network: UNet | ResNet, residual: bool = False) -> None:
        super().__init__(network)
        self.residual = residual

    def forward(
        self,
        y: Tensor,
        estimate: Tensor | None = None,
        region: Sequence[slice] | None = None,
    ) -> Tensor:
        """Return f(y), or y + f(y); estimates are ignored."""
        made = self._run(y, region)
        if not self.residual:
            return made
        return made + (y if region is None else part_of(y, region))


def build_plain(
    settings: PlainReconstructor,
    dims: int,
    channels: tuple[int, int],
    pool: tuple[int, ...],
) -> Plain:
    """Return a network with random weights."""
    adds = settings.residual
    network = make_network(settings, dims, *channels, pool, zero_last=adds)
    return Plain(network, adds)
