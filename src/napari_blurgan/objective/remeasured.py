"""Photons that are hidden from G, predicted through the blur."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import Tensor

from napari_blurgan.estimates.projected import ProjectedError, window
from napari_blurgan.methods.parts import ESTIMATE, KERNEL, UNSEEN, Need
from napari_blurgan.methods.terms import TermSettings
from napari_blurgan.objective.term import Term
from napari_blurgan.preparation.site import Site
from napari_blurgan.transport.transported import Transported

__all__ = ["Remeasured", "RemeasuredTerm"]


LEAST, MOST = 1e-3, 0.3
"""Lowest and highest floor: if the blur explains the images, and if it does not."""


def floor_for(misfit: float) -> float:
    """Return the floor of |H|^2 for a misfit of the blur.

    Parameters
    ----------
    misfit : float
        In units of the noise. The floor follows the whole of what stands between the
        restoration and the truth: noise, and the misfit.
    """
    return min(MOST, LEAST * (1 + max(0.0, misfit)))


class RemeasuredTerm(TermSettings):
    """The weighted error of H G(y1) - y2; y1 and y2 are halves of the photons."""

    home: ClassVar[str] = "napari_blurgan.objective.remeasured:Remeasured"
    needs: ClassVar[frozenset[Need]] = frozenset({KERNEL, ESTIMATE, UNSEEN})

    floor: Annotated[float, Field(gt=0, le=1)] | Literal["auto"] = "auto"
    """Floor of |H|^2: frequencies that the blur transmits less than this have less
    weight. "auto" rises with the misfit of the blur, which 1 / |H|^2 would amplify."""
    taper: Annotated[int, Field(ge=1, le=64)] = 8
    """Voxels over which the error falls to zero at the border of a patch."""


class Remeasured(Term):
    """The error of H G(y1), estimated from y2.

    The whole blur of the estimate in G is known, also beyond the border; that of the
    correction only within the patch.
    """

    def __init__(self, settings: RemeasuredTerm, site: Site) -> None:
        super().__init__(settings, site)
        patch = site.geometry.patch
        floor = settings.floor
        if floor == "auto":
            floor = floor_for(site.misfit)
        self.error = ProjectedError(site.forward.blur, patch, floor)
        self.register_buffer("taper", window(patch, settings.taper), persistent=False)

    taper: Tensor

    def forward(self, images: Transported) -> Tensor:
        """Return the error, over the patch."""
        residual = images.drawn.residual
        assert residual is not None, "a recipe is checked against its source"
        blur = images.transport.forward_model.blur
        unexplained = images.centre(residual) - blur(images.contribution, "zero")
        return self.error(self.taper * unexplained)
