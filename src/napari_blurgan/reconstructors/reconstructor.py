"""`Reconstructor`: G, which maps a measurement to the object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from napari_blurgan.methods.parts import load
from napari_blurgan.methods.reconstructors import ReconstructorSettings
from napari_blurgan.networks.cascade import Cascade, Explains
from napari_blurgan.networks.ladder import Ladder
from napari_blurgan.networks.resnet import ResNet
from napari_blurgan.networks.unet import UNet

__all__ = ["Inferred", "Reconstructor", "build_reconstructor"]


class Inferred(NamedTuple):
    """What G says of a measurement.

    Attributes
    ----------
    image : Tensor
        G(y), (n, c, [z,] y, x).
    divergence : Tensor or None
        Of a distribution of images: how far it is from what was to be expected without
        y, (parts,), in nats per voxel.
    """

    image: Tensor
    divergence: Tensor | None = None


class Reconstructor(nn.Module):
    """G, of any kind.

    Parameters
    ----------
    network : UNet, ResNet, Ladder or Cascade
        Its deep part.

    Attributes
    ----------
    outputs : tuple of str
        What it returns, in order.
    precision : torch.dtype
        What the network computes in.
    """

    outputs: ClassVar[tuple[str, ...]] = ("restored",)

    def __init__(self, network: UNet | ResNet | Ladder | Cascade) -> None:
        super().__init__()
        self.network = network
        self.precision = torch.float32

    def lend(self, forward: Explains) -> None:
        """Set H, for a reconstructor that has it inside; others ignore it."""

    def forward(
        self,
        y: Tensor,
        estimate: Tensor | None = None,
        region: Sequence[slice] | None = None,
    ) -> Tensor:
        """Map y, (n, c, [z,] y, x), to x, float32; to `region` of it if one is named.

        Parameters
        ----------
        y : Tensor
            Measured.
        estimate : Tensor, optional
            Of x, where it refines one.
        region : sequence of slice, optional
            Of the spatial axes.
        """
        raise NotImplementedError

    def infer(self, y: Tensor, estimate: Tensor | None = None) -> Inferred:
        """Return G(y) with all that is known of it."""
        return Inferred(self(y, estimate))

    def blank(self, patch: Sequence[int], channels: int) -> tuple[Tensor, ...]:
        """Return arguments of zeros, to measure its speed."""
        return (torch.zeros(1, channels, *patch),)

    def set_precision(self, precision: torch.dtype) -> None:
        """Set the precision of the network, and the layout that suits it."""
        self.precision = precision
        if precision != torch.float32:
            self.network.to(memory_format=self._layout())  # type: ignore[call-overload]

    def _run(self, image: Tensor, region: Sequence[slice] | None) -> Tensor:
        """Return the output of the network for an image, float32."""
        made: Tensor = self._called(image, region)
        return made.float()

    def _called(self, image: Tensor, *others: Any) -> Any:
        """Call the network in its precision."""
        lower = self.precision != torch.float32
        if lower:
            image = image.contiguous(memory_format=self._layout())
        with torch.autocast(image.device.type, self.precision, enabled=lower):
            return self.network(image, *others)

    def _layout(self) -> torch.memory_format:
        planes = any(isinstance(part, nn.Conv2d) for part in self.network.modules())
        return torch.channels_last if planes else torch.channels_last_3d


def build_reconstructor(
    settings: ReconstructorSettings,
    dims: int,
    channels: tuple[int, int],
    pool: tuple[int, ...],
) -> Reconstructor:
    """Return the G named by a recipe, with random weights.

    Parameters
    ----------
    settings : ReconstructorSettings
        Of the recipe.
    dims : int
        3 for volumes, 2 for planes.
    channels : tuple of int
        Of y and of x.
    pool : tuple of int
        Pooling factor of each axis.
    """
    made: Reconstructor = load(settings.home)(settings, dims, channels, pool)
    return made
