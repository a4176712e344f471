"""A reconstructor that answers with a distribution: many images instead of one."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from napari_blurgan.methods.parts import DISTRIBUTION, Need
from napari_blurgan.methods.reconstructors import ReconstructorSettings
from napari_blurgan.networks.ladder import Dice, Ladder
from napari_blurgan.reconstructors.building import within_memory
from napari_blurgan.reconstructors.dice import image_dice
from napari_blurgan.reconstructors.reconstructor import Inferred, Reconstructor

__all__ = ["Variational", "VariationalReconstructor", "build_variational"]


PEDESTAL = 0.025
"""Of the range of the images: light that is added before a root is taken, about that at
which photon noise equals read noise."""

DARK = 0.02
"""Slope of what is made of negative roots: none of the light, but not quite level."""


class VariationalReconstructor(ReconstructorSettings):
    """A variational autoencoder (DivNoising, Prakash et al. 2021).

    An image is encoded as a distribution of latent images; each draw of them decodes to
    one signal that may have led to the image.
    """

    kind: Literal["variational"] = "variational"
    home: ClassVar[str] = "napari_blurgan.reconstructors.variational:build_variational"
    cites: ClassVar[tuple[str, ...]] = ("prakash2021",)

    levels: Annotated[int, Field(ge=2, le=12)] = 3
    """Number of resolutions, including the full one; all others have a latent
    image."""
    blocks: Annotated[int, Field(ge=1, le=64)] = 1
    """Residual blocks at each level, both in the encoder and in the decoder."""
    latents: Annotated[int, Field(ge=1, le=1024)] = 8
    """Channels of a latent image."""

    roots: bool = False
    """Whether the network sees and makes square roots of the light, in which photon
    noise is the same in dim and in bright places."""

    @property
    def offers(self) -> frozenset[Need]:
        """A distribution of images."""
        return frozenset({DISTRIBUTION})


class Variational(Reconstructor):
    """G(y): one draw in training; then the means of the latent images, or a draw.

    Parameters
    ----------
    network : Ladder
        Encoder and decoder.
    roots : bool
        Whether they work with square roots of the light.

    Attributes
    ----------
    number : int or None
        Of the draw that is returned in evaluation; None for the means.
    """

    network: Ladder

    def __init__(self, network: Ladder, roots: bool = False) -> None:
        super().__init__(network)
        self.roots = roots
        self.number: int | None = None

    def drawing(self, number: int) -> Variational:
        """Return a copy with the same weights that returns draw `number`, from 0.

        A draw depends on its number and on the image alone: it is the same in every
        tile and every time.
        """
        made = copy.copy(self)
        made.number = number
        return made

    def forward(
        self,
        y: Tensor,
        estimate: Tensor | None = None,
        region: Sequence[slice] | None = None,
    ) -> Tensor:
        """Return one signal; estimates are ignored."""
        return self._signal(y, region)[0]

    def infer(self, y: Tensor, estimate: Tensor | None = None) -> Inferred:
        """Return one signal, and how far its distribution is from the prior."""
        return Inferred(*self._signal(y, None))

    def _signal(
        self, y: Tensor, region: Sequence[slice] | None
    ) -> tuple[Tensor, Tensor]:
        seen = _root(y) if self.roots else y
        made, divergence = self._called(seen, self._dice(y), region)
        signal = made.float()
        return _squared(signal) if self.roots else signal, divergence

    def _dice(self, y: Tensor) -> Dice | None:
        if self.training:
            return _random
        if self.number is None:
            return None
        return image_dice(y, self.number, self.network.pool)


def _root(light: Tensor) -> Tensor:
    """Return the root of the light, one at the top of the range (Anscombe 1948)."""
    return ((light + PEDESTAL).clamp(min=0) / (1 + PEDESTAL)).sqrt()


def _squared(root: Tensor) -> Tensor:
    """Return the light of roots; negative ones are below all light."""
    light = torch.where(root > 0, (1 + PEDESTAL) * root.square(), DARK * root)
    return light - PEDESTAL


def _random(level: int, like: Tensor) -> Tensor:
    return torch.randn_like(like)


def build_variational(
    settings: VariationalReconstructor,
    dims: int,
    channels: tuple[int, int],
    pool: tuple[int, ...],
) -> Variational:
    """Return a ladder with random weights."""
    return Variational(
        within_memory(
            lambda: Ladder(
                dims,
                *channels,
                settings.base,
                settings.levels,
                settings.blocks,
                settings.latents,
                pool,
            )
        ),
        settings.roots,
    )
