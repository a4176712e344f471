"""A discriminator of sections through a volume, in all three directions.

Planes of a stack are sharper than its sections along z. Sections of G(y), whichever
way they are cut, have to look like planes of y (three-way, Lee et al. 2019).
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from napari_blurgan.errors import RecipeError
from napari_blurgan.methods.terms import TermSettings
from napari_blurgan.objective.adversarial import Adversarial
from napari_blurgan.preparation.site import Site
from napari_blurgan.transport.transported import Transported

__all__ = ["Planes", "PlanesTerm"]

ACROSS = {"xy": 2, "xz": 3, "yz": 4}
"""Axis of (n, c, z, y, x) that a section is perpendicular to."""


class PlanesTerm(TermSettings):
    """Adversarial loss of sections of G(y), from a discriminator on planes of y."""

    home: ClassVar[str] = "napari_blurgan.objective.planes:Planes"

    views: tuple[Literal["xy", "xz", "yz"], ...] = ("xy", "xz", "yz")
    """Directions in which G(y) is cut."""


class Planes(Adversarial):
    """phi: planes of y against sections of G(y).

    Parameters
    ----------
    settings, site
        As of any term; patches have to be cubes.

    Raises
    ------
    RecipeError
        If they are not.
    """

    sees: ClassVar[str] = "planes"
    dims: ClassVar[int | None] = 2

    def __init__(self, settings: PlanesTerm, site: Site) -> None:
        if len(site.recipe.patch) != 3 or len(set(site.recipe.patch)) > 1:
            raise RecipeError(
                f"terms.adversarial_planes needs patches that are cubes, found "
                f"sampling.patch {site.recipe.patch}"
            )
        super().__init__(settings, site)
        self.views = settings.views

    def channels(self, site: Site) -> int:
        """The channels of y."""
        return site.channels[0]

    def real_and_made(self, images: Transported) -> tuple[Tensor, Tensor]:
        """Return as many planes of y as sections of G(y), (n, c, y, x)."""
        count = len(self.views)
        made = [
            sections(images.x_hat, view)[n::count] for n, view in enumerate(self.views)
        ]
        return sections(images.y, "xy"), torch.cat(made)


def sections(volume: Tensor, view: str) -> Tensor:
    """Return all sections of (n, c, z, y, x) as a batch, (n, c, y or z, x or y)."""
    return volume.movedim(ACROSS[view], 1).flatten(0, 1)
