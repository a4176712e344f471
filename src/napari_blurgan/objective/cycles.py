"""The terms that compare an image with what it should be."""

from __future__ import annotations

from torch import Tensor

from napari_blurgan.objective.term import Term
from napari_blurgan.transport.transported import Transported

__all__ = ["CycleX", "CycleY", "Identity", "IdentityY", "Spatial", "Supervised"]


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
