"""The saliency constraint of UTOM: content stays content."""

from __future__ import annotations

from torch import Tensor

from napari_blurgan.content.domain_thresholds import thresholds_of
from napari_blurgan.errors import RecipeError
from napari_blurgan.methods.terms import TermSettings
from napari_blurgan.objective.term import Term
from napari_blurgan.preparation.site import Site
from napari_blurgan.transport.transported import Transported

__all__ = ["Saliency"]


class Saliency(Term):
    """|T_a(y) - T_b(G(y))| + |T_b(x) - T_a(Hx)| (Li et al. 2021, eq. 2).

    Each image is thresholded at the level of its own domain, as in the paper (its
    released code swaps the two for generated images).
    """

    def __init__(self, settings: TermSettings, site: Site) -> None:
        super().__init__(settings, site)
        thresholds = thresholds_of(site.recipe, site.calibration)
        if thresholds is None:
            raise RecipeError(
                "the saliency constraint needs terms.saliency.alpha and "
                "terms.saliency.beta: pick "
                "background and foreground in both domains"
            )
        self.alpha, self.beta = thresholds

    def forward(self, images: Transported) -> Tensor:
        """Return the difference of the content in both directions."""
        there = self.alpha(images.y) - self.beta(images.x_hat)
        back = self.beta(images.x) - self.alpha(images.y_hat)
        return there.abs().mean() + back.abs().mean()
