"""How much a distribution of images says beyond what was to be expected."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field
from torch import Tensor

from napari_blurgan.methods.parts import DISTRIBUTION, Delay, Need
from napari_blurgan.methods.terms import TermSettings
from napari_blurgan.objective.term import Term
from napari_blurgan.preparation.site import Site
from napari_blurgan.transport.transported import Transported

__all__ = ["Divergence", "DivergenceTerm"]


class DivergenceTerm(TermSettings):
    """The Kullback-Leibler divergence of what G draws from, per voxel.

    With the likelihood it is the evidence lower bound of Kingma and Welling (equation
    21 of Akçakaya et al. 2022): at a weight of one, both are in nats.
    """

    home: ClassVar[str] = "napari_blurgan.objective.divergence:Divergence"
    needs: ClassVar[frozenset[Need]] = frozenset({DISTRIBUTION})

    warm_up: Delay = 0
    """Steps over which the weight rises from zero, so that the latent images come into
    use before they cost anything."""
    free: Annotated[float, Field(ge=0, le=1e3)] = 0.0
    """Nats per voxel that each latent image may say for nothing ("free bits")."""

    def at(self, step: int) -> float:
        """Return the weight at a step."""
        return self.weight * min(1.0, (step + 1) / (self.warm_up + 1))


class Divergence(Term):
    """The sum over the latent images.

    Parameters
    ----------
    settings : DivergenceTerm
        What is free.
    site : Site
        The data.
    """

    def __init__(self, settings: DivergenceTerm, site: Site) -> None:
        super().__init__(settings, site)
        self.free = settings.free

    def forward(self, images: Transported) -> Tensor:
        """Return it, in nats per voxel."""
        return images.divergence.clamp(min=self.free).sum()
