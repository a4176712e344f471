"""The terms that compare an image with what it should be."""

from __future__ import annotations

from torch import Tensor

from napari_blurgan.objective.term import Term
from napari_blurgan.transport.transported import Transported

__all__ = ["CycleX", "CycleY", "Identity", "IdentityY", "Supervised"]


class CycleY(Term):
    """|y - H G(y)|, where all of the blur's support is known."""

    def forward(self, images: Transported) -> Tensor:
        """Return the distance of y and H G(y)."""
        return images.distance(images.y, images.y_cycle)


class CycleX(Term):
    """|x - G(H x)|."""

    def forward(self, images: Transported) -> Tensor:
        """Return the distance of x and G(Hx)."""
        return images.distance(images.x, images.x_cycle)


class Identity(Term):
    """|x - G(x)|: what is sharp already stays as it is."""

    def forward(self, images: Transported) -> Tensor:
        """Return the distance of x and G(x)."""
        return images.distance(images.x, images.x_identity)


class IdentityY(Term):
    """|y - H(y)|, of a network: what is blurred already stays as it is."""

    def forward(self, images: Transported) -> Tensor:
        """Return the distance of y and H(y)."""
        return images.distance(images.y, images.transport.to_y(images.y))


class Supervised(Term):
    """|x - G(y)| on matched pairs."""

    def forward(self, images: Transported) -> Tensor:
        """Return the distance of x and G(y)."""
        return images.distance(images.x, images.x_hat)
