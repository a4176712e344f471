"""Photons that G has not seen, predicted through the blur."""

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
"""Floors where the blur explains the images, and where it explains next to nothing."""


def floor_for(misfit: float) -> float:
    """Return the floor of |H|^2 for what the blur leaves unexplained.

    Parameters
    ----------
    misfit : float
        In units of the noise. The floor follows the whole of what stands between the
        restoration and the truth: noise, and the misfit.
    """
    return min(MOST, LEAST * (1 + max(0.0, misfit)))


class RemeasuredTerm(TermSettings):
    """The projected error of H G(y1) - y2, y1 and y2 sharing the photons of y."""

    home: ClassVar[str] = "napari_blurgan.objective.remeasured:Remeasured"
    needs: ClassVar[frozenset[Need]] = frozenset({KERNEL, ESTIMATE, UNSEEN})

    floor: Annotated[float, Field(gt=0, le=1)] | Literal["auto"] = "auto"
    """Of |H|^2: frequencies that the blur lets through less of count less. "auto" rises
    with what the blur does not explain of the images, which 1 / |H|^2 would blow up."""
    taper: Annotated[int, Field(ge=1, le=64)] = 8
    """Voxels over which the error falls to zero at the border of a patch."""


class Remeasured(Term):
    """What is wrong with H G(y1), as far as y2 shows.

    Of the estimate in G the whole blur is known, beyond the border too; of the
    correction what lies within the patch.
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
