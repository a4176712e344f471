"""The networks without their code for tiles: they can be scripted and exported."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_blurgan.errors import DataError
from napari_blurgan.networks.cascade import Cascade
from napari_blurgan.networks.ladder import Ladder
from napari_blurgan.networks.resnet import ResNet
from napari_blurgan.networks.unet import UNet

__all__ = ["plain_network"]


class PlainUNet(nn.Module):
    """The layers of a `UNet`, for sizes that are multiples of its stride."""

    def __init__(self, network: UNet) -> None:
        super().__init__()
        self.encoders = network.encoders
        self.decoders = network.decoders
        self.last = network.last
        self.activation = network.activation
        self.pool = list(network.pool)
        self.scale = [float(factor) for factor in network.pool]

    def forward(self, image: Tensor) -> Tensor:
        """Map (n, c, …) to (n, out_channels, …)."""
        features = image
        skips: list[Tensor] = []
        for encoder in self.encoders:
            if len(skips) > 0:
                features = self._pooled(features)
            features = encoder(features)
            skips.append(features)
        features = skips.pop()
        for decoder in self.decoders:
            features = F.interpolate(features, scale_factor=self.scale)
            features = decoder(torch.cat([skips.pop(), features], dim=1))
        return self.activation(self.last(features))

    def _pooled(self, features: Tensor) -> Tensor:
        if len(self.pool) == 2:
            return F.max_pool2d(features, self.pool)
        return F.max_pool3d(features, self.pool)


class PlainResNet(nn.Module):
    """The layers of a `ResNet`, for sizes that are multiples of its stride."""

    def __init__(self, network: ResNet) -> None:
        super().__init__()
        self.body = network.body
        self.last = network.last
        self.activation = network.activation

    def forward(self, image: Tensor) -> Tensor:
        """Map (n, c, …) to (n, out_channels, …)."""
        return self.activation(self.last(self.body(image)))


def plain_network(network: UNet | ResNet | Ladder | Cascade) -> nn.Module:
    """Return a network that shares its weights with `network`.

    Raises
    ------
    DataError
        If it answers with a distribution: an exported network has one answer; or if it
        has the forward model inside.
    """
    if isinstance(network, Cascade):
        raise DataError(
            "this model has the forward model inside, which other programs do not "
            "have: restore with it here"
        )
    if isinstance(network, Ladder):
        raise DataError(
            "this model draws images from a distribution, which other programs do not "
            "do: restore with it here"
        )
    return PlainUNet(network) if isinstance(network, UNet) else PlainResNet(network)
