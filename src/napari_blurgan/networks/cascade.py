"""Networks that take turns with the forward model: an unrolled iteration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from napari_blurgan.networks.layers import part_of
from napari_blurgan.networks.norm import Norm
from napari_blurgan.networks.resnet import ResNet
from napari_blurgan.networks.unet import UNet

__all__ = ["Cascade", "Explains"]


class Explains(Protocol):
    """A linear H, as far as an unrolled iteration needs it."""

    @property
    def reach(self) -> tuple[int, ...]:
        """Voxels over which a voxel of x has an effect on y, for each axis."""

    def matching(self, y: Tensor) -> Explains:
        """Return H as it was when y was measured."""

    def towards(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the change of x along which H x comes nearer to y fastest."""

    def simpler(self, x: Tensor) -> Tensor:
        """Return x as a network understands it best."""

    def original(self, x: Tensor) -> Tensor:
        """Return what `simpler` was given."""


class _Lent:
    """H, which belongs to somebody else: it is no part of a copy or of a state."""

    def __init__(self, forward: Explains) -> None:
        self.forward = forward

    def __deepcopy__(self, memo: dict[int, Any]) -> _Lent:
        return self


class Cascade(nn.Module):
    """x <- x + f(x), then x <- x + s H^T (y - H x), in turns (Akçakaya et al. 2022).

    Each network f is followed by a gradient step of a learned length s.

    Parameters
    ----------
    networks : sequence of UNet or ResNet
        f, one for each turn.

    Attributes
    ----------
    norm : str
        That of the networks.
    stride : tuple of int
        That of the networks.
    """

    def __init__(self, networks: Sequence[UNet | ResNet]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.lengths = nn.Parameter(torch.ones(len(networks)))
        self.norm: Norm = networks[0].norm
        self.stride: tuple[int, ...] = networks[0].stride
        self._lent: _Lent | None = None
        self._one_halo = networks[0].receptive_halo

    def lend(self, forward: Explains) -> None:
        """Set H."""
        self._lent = _Lent(forward)

    @property
    def receptive_halo(self) -> tuple[int, ...]:
        """An output voxel depends on no input voxel farther away than this."""
        reach = self._forward.reach
        turns = len(self.networks)
        return tuple(
            turns * halo + (turns + 1) * 2 * far
            for halo, far in zip(self._one_halo, reach, strict=True)
        )

    @property
    def _forward(self) -> Explains:
        if self._lent is None:
            raise ValueError("a cascade of networks needs a forward model")
        return self._lent.forward

    def forward(self, y: Tensor, region: Sequence[slice] | None = None) -> Tensor:
        """Map y to x, both (n, c, [z,] y, x); to `region` of it if one is named."""
        forward = self._forward.matching(y)
        x = forward.towards(torch.zeros_like(y), y)
        for network, length in zip(self.networks, self.lengths, strict=True):
            x = x + forward.original(network(forward.simpler(x)).float())
            x = x + length * forward.towards(x, y)
        return x if region is None else part_of(x, region)
