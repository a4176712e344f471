"""The terms that compare an image with what it should be."""

from __future__ import annotations

from torch import Tensor

from napari_blurgan.methods.terms import TermSettings
from napari_blurgan.objective.term import Term
from napari_blurgan.preparation.site import Site
from napari_blurgan.transport.transported import Transported

__all__ = [
    "Bootstrap",
    "CycleX",
    "CycleY",
    "Identity",
    "IdentityY",
    "Spatial",
    "Supervised",
]


class CycleY(Term):
    """|y - H G(y)|, where the whole support of the blur is known."""

    def forward(self, images: Transported) -> Tensor:
        """Return the distance between y and H G(y)."""
        return images.distance(images.y, images.y_cycle)


class CycleX(Term):
    """|x - G(H x)|."""

    def forward(self, images: Transported) -> Tensor:
        """Return the distance between x and G(Hx)."""
        return images.distance(images.x, images.x_cycle)


class Bootstrap(CycleX):
    """|x - G(H x)| for estimates x: what the blur does not explain is no truth."""

    def __init__(self, settings: TermSettings, site: Site) -> None:
        super().__init__(settings, site)
        self.trust = 1 / (1 + max(0.0, site.misfit))

    def forward(self, images: Transported) -> Tensor:
        """Return the distance between x and G(Hx), less the larger the misfit."""
        return self.trust * super().forward(images)


class Identity(Term):
    """|x - G(x)|: images that are already sharp should not change."""

    def forward(self, images: Transported) -> Tensor:
        """Return the distance between x and G(x)."""
        return images.distance(images.x, images.x_identity)


class IdentityY(Term):
    """|y - H(y)| for a network: images that are already blurred should not change."""

    def forward(self, images: Transported) -> Tensor:
        """Return the distance between y and H(y)."""
        return images.distance(images.y, images.transport.to_y(images.y))


class Spatial(Term):
    """|y - G(y)|: structures stay where they are."""

    def forward(self, images: Transported) -> Tensor:
        """Return the distance between y and G(y)."""
        return images.distance(images.y, images.x_hat)


class Supervised(Term):
    """|x - G(y)| on matched pairs."""

    def forward(self, images: Transported) -> Tensor:
        """Return the distance between x and G(y)."""
        return images.distance(images.x, images.x_hat)
