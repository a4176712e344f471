"""A generator with the forward model inside: an iteration with learned steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import Tensor

from napari_blurgan.methods.parts import ADJOINT, Need
from napari_blurgan.methods.reconstructors import NetworkReconstructor
from napari_blurgan.networks.cascade import Cascade, Explains
from napari_blurgan.reconstructors.network import make_network
from napari_blurgan.reconstructors.reconstructor import Reconstructor

__all__ = ["Unrolled", "UnrolledReconstructor", "build_unrolled"]


class UnrolledReconstructor(NetworkReconstructor):
    """Networks in turns with gradient steps of |y - H x|^2, with the H of the recipe.

    After every network, its result is moved towards what was measured.
    """

    kind: Literal["unrolled"] = "unrolled"
    home: ClassVar[str] = "napari_blurgan.reconstructors.unrolled:build_unrolled"
    cites: ClassVar[tuple[str, ...]] = ("akcakaya2022",)

    turns: Annotated[int, Field(ge=1, le=64)] = 3
    """Networks, each followed by a gradient step."""

    @property
    def keeps_blur(self) -> bool:
        """H is part of G."""
        return True

    @property
    def needs(self) -> frozenset[Need]:
        """H with an adjoint."""
        return frozenset({ADJOINT})

    @property
    def offers(self) -> frozenset[Need]:
        """No network of which a second one could be made."""
        return frozenset()


class Unrolled(Reconstructor):
    """G(y): some turns of a network and a gradient step, from H^T y.

    Parameters
    ----------
    network : Cascade
        All of it.
    """

    network: Cascade

    def lend(self, forward: Explains) -> None:
        """Set H, which stays what it is where it was: in the transport, in a model."""
        self.network.lend(forward)

    def forward(
        self,
        y: Tensor,
        estimate: Tensor | None = None,
        region: Sequence[slice] | None = None,
    ) -> Tensor:
        """Return G(y); estimates are ignored."""
        return self._run(y, region)


def build_unrolled(
    settings: UnrolledReconstructor,
    dims: int,
    channels: tuple[int, int],
    pool: tuple[int, ...],
) -> Unrolled:
    """Return networks with random weights, all of which add nothing at the start."""
    made = [
        make_network(settings, dims, channels[1], channels[1], pool, zero_last=True)
        for _ in range(settings.turns)
    ]
    return Unrolled(Cascade(made))
