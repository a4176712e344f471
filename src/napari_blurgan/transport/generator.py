"""G: a deep network, or one that refines an estimate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from napari_blurgan.networks.layers import part_of
from napari_blurgan.networks.resnet import ResNet
from napari_blurgan.networks.unet import UNet
from napari_blurgan.transport.recipe import GeneratorSettings
from napari_blurgan.transport.schema import within_memory

__all__ = ["Generator", "make_network"]


def make_network(
    settings: GeneratorSettings,
    dims: int,
    channels_in: int,
    channels_out: int,
    pool: tuple[int, ...],
) -> UNet | ResNet:
    """Return the network that a recipe describes, its weights drawn at random.

    Parameters
    ----------
    settings : GeneratorSettings
        Kind and size.
    dims, channels_in, channels_out : int
        Spatial axes; channels, those of an estimate included.
    pool : tuple of int
        Pooling factor of each axis; 1 where there are only a few planes.
    """
    # A refinement starts by changing nothing. A sigmoid that starts at one half would
    # take thousands of steps to learn that most of a fluorescence volume is dark.
    dark = settings.output == "sigmoid" and dims == 3
    kinds: dict[str, Callable[..., UNet | ResNet]] = {
        "unet": partial(
            UNet, levels=settings.levels, convs_per_level=settings.convolutions
        ),
        "resnet": partial(
            ResNet, blocks=settings.blocks, upsampling=settings.upsampling
        ),
    }
    return within_memory(
        lambda: kinds[settings.network](
            dims,
            channels_in,
            channels_out,
            settings.base,
            first_kernel=settings.first_kernel,
            norm=settings.norm,
            activation=settings.output,
            zero_last=settings.guide > 0,
            output_bias=-3.0 if dark else None,
            pool=pool,
        )
    )


class Generator(nn.Module):
    """G(y) = f(y), or G(y, r) = r + f([y, r]) with an estimate r.

    Parameters
    ----------
    network : UNet or ResNet
        f.
    refines : bool
        Whether the input carries an estimate as its last channel.

    Attributes
    ----------
    precision : torch.dtype
        What the network computes in.
    """

    def __init__(self, network: UNet | ResNet, refines: bool = False) -> None:
        super().__init__()
        self.network = network
        self.refines = refines
        self.precision = torch.float32

    def forward(self, y: Tensor, region: Sequence[slice] | None = None) -> Tensor:
        """Map (n, c, [z,] y, x) to x, float32; to `region` of it where one is named."""
        correction = self._network(y, region)
        if not self.refines:
            return correction
        estimate = y[:, -1:]
        if region is not None:
            estimate = part_of(estimate, region)
        return estimate + correction

    def set_precision(self, precision: torch.dtype) -> None:
        """Choose what the network computes in, and the layout that suits it."""
        self.precision = precision
        if precision != torch.float32:
            self.network.to(memory_format=self._layout())  # type: ignore[call-overload]

    def _network(self, image: Tensor, region: Sequence[slice] | None) -> Tensor:
        lower = self.precision != torch.float32
        if lower:
            image = image.contiguous(memory_format=self._layout())
        with torch.autocast(image.device.type, self.precision, enabled=lower):
            return self.network(image, region).float()

    def _layout(self) -> torch.memory_format:
        planes = any(isinstance(part, nn.Conv2d) for part in self.network.modules())
        return torch.channels_last if planes else torch.channels_last_3d
