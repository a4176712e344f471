"""`Operator`: a network or a deconvolution that can be applied tile by tile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from napari_blurgan.data.normalize import Normalization
from napari_blurgan.networks.layers import part_of

__all__ = ["Normalized", "Operator", "Partial", "computed"]


class Operator(Protocol):
    """A map of images with a limited reach, its halo.

    Anything that depends on the image as a whole (normalisation, a stopping rule) is
    fixed beforehand; an operator depends only on the tile that it is given.
    """

    @property
    def halo(self) -> tuple[int, ...]:
        """Largest distance, for each axis, at which an input voxel has an effect."""

    @property
    def stride(self) -> tuple[int, ...]:
        """Tiles must start at multiples of it."""

    @property
    def device(self) -> torch.device:
        """The device on which it computes."""

    def channels_out(self, channels_in: int) -> int:
        """Return the number of channels of the result; ValueError if unsuitable."""

    def __call__(self, image: Tensor, /) -> Tensor:
        """Map (n, c, [z,] y, x), float32, to the same sizes along n, z, y and x."""


class Partial(Operator, Protocol):
    """An operator that can compute a part of its result at a lower cost."""

    def part(self, image: Tensor, region: Sequence[slice], /) -> Tensor:
        """Return `region`, along the spatial axes, of the result of a call."""


def computed(operator: Operator, image: Tensor, region: Sequence[slice]) -> Tensor:
    """Return `region` of the result for an image, in the cheapest way."""
    part = getattr(operator, "part", None)
    if part is None:
        return part_of(operator(image), region)
    result: Tensor = part(image, region)
    return result


class Normalized:
    """An operator in network units, used with grey levels.

    Parameters
    ----------
    operator : Operator
        Maps network units to network units.
    before, after : Normalization
        Applied to its input; undone on its output.
    """

    def __init__(
        self, operator: Operator, before: Normalization, after: Normalization
    ) -> None:
        self.operator = operator
        self.before = before
        self.after = after

    @property
    def halo(self) -> tuple[int, ...]:
        """Halo of the operator."""
        return self.operator.halo

    @property
    def stride(self) -> tuple[int, ...]:
        """Stride of the operator."""
        return self.operator.stride

    @property
    def device(self) -> torch.device:
        """Device of the operator."""
        return self.operator.device

    @property
    def reflected(self) -> bool:
        """Channel names of the operator, if it has any."""
        return bool(getattr(self.operator, "reflected", True))

    @property
    def colour(self) -> bool:
        """Integer type of the operator, if it has one."""
        return bool(getattr(self.operator, "colour", False))

    def channels_out(self, channels_in: int) -> int:
        """Return the channels of the operator."""
        return self.operator.channels_out(channels_in)

    def __call__(self, image: Tensor) -> Tensor:
        """Map grey levels to grey levels."""
        units = (image - self.before.offset) / self.before.scale
        return self.after.undo(self.operator(units))

    def part(self, image: Tensor, region: Sequence[slice]) -> Tensor:
        """Map grey levels to a part of the grey levels."""
        units = (image - self.before.offset) / self.before.scale
        return self.after.undo(computed(self.operator, units, region))
