"""`Operator`: what can be applied tile by tile, a network or a deconvolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from napari_blurgan.data.normalize import Normalization
from napari_blurgan.networks.layers import part_of

__all__ = ["Normalized", "Operator", "Partial", "computed"]


class Operator(Protocol):
    """A map of images that reaches no further than its halo.

    What depends on the image as a whole (normalisation, a rule when to stop) is fixed
    before; an operator looks at nothing but the tile it is given.
    """

    @property
    def halo(self) -> tuple[int, ...]:
        """Greatest distance, for each axis, at which an input voxel counts."""

    @property
    def stride(self) -> tuple[int, ...]:
        """Tiles must start at multiples of it."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    def channels_out(self, channels_in: int) -> int:
        """Return the channels of the result; ValueError if there can be none."""

    def __call__(self, image: Tensor, /) -> Tensor:
        """Map (n, c, [z,] y, x), float32, to the same sizes along n, z, y and x."""


class Partial(Operator, Protocol):
    """An operator that can compute a part of its result for less than all of it."""

    def part(self, image: Tensor, region: Sequence[slice], /) -> Tensor:
        """Return `region`, along the spatial axes, of what the call would return."""


def computed(operator: Operator, image: Tensor, region: Sequence[slice]) -> Tensor:
    """Return `region` of what an operator makes of an image, in the cheapest way."""
    part = getattr(operator, "part", None)
    if part is None:
        return part_of(operator(image), region)
    result: Tensor = part(image, region)
    return result


class Normalized:
    """An operator in network units, seen from outside in grey levels.

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
        """That of the operator."""
        return self.operator.halo

    @property
    def stride(self) -> tuple[int, ...]:
        """That of the operator."""
        return self.operator.stride

    @property
    def device(self) -> torch.device:
        """That of the operator."""
        return self.operator.device

    @property
    def reflected(self) -> bool:
        """That of the operator, where it says."""
        return bool(getattr(self.operator, "reflected", True))

    @property
    def colour(self) -> bool:
        """That of the operator, where it says."""
        return bool(getattr(self.operator, "colour", False))

    def channels_out(self, channels_in: int) -> int:
        """Return what the operator returns."""
        return self.operator.channels_out(channels_in)

    def __call__(self, image: Tensor) -> Tensor:
        """Map grey levels to grey levels."""
        units = (image - self.before.offset) / self.before.scale
        return self.after.undo(self.operator(units))

    def part(self, image: Tensor, region: Sequence[slice]) -> Tensor:
        """Map grey levels to a part of the grey levels."""
        units = (image - self.before.offset) / self.before.scale
        return self.after.undo(computed(self.operator, units, region))
