"""`Physics`: a forward model, and the findings of its construction."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_blurgan.methods.parts import load
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.optics.forward import ForwardModel
from napari_blurgan.preparation.notes import Note
from napari_blurgan.preparation.site import Site

__all__ = ["Physics", "expected_blur", "physics_of"]


@dataclass(frozen=True)
class Physics:
    """H for a data set.

    Parameters
    ----------
    model : ForwardModel
        H.
    recipe : Recipe
        What is to be trained with it: not what was asked for, where the blur cannot
        be estimated from the data.
    notes : list of Note
        What people should know.
    thickness : float, optional
        In micrometres, of the sample around a plane, where it was estimated.
    """

    model: ForwardModel
    recipe: Recipe
    notes: list[Note] = field(default_factory=list)
    thickness: float | None = None


def physics_of(site: Site) -> Physics:
    """Return the forward model that the recipe of a site names."""
    settings = site.recipe.forward
    physics: Physics = load(settings.home)(settings, site)
    return physics


def expected_blur(site: Site) -> ForwardModel | None:
    """Return the known blur early, if finding it takes long."""
    settings = site.recipe.forward
    if not settings.expects:
        return None
    blur: ForwardModel | None = load(settings.expects)(settings, site)
    return blur
