"""`Physics`: a forward model, and the findings of its construction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from napari_blurgan.methods.parts import load
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.optics.forward import ForwardModel
from napari_blurgan.preparation.notes import Note
from napari_blurgan.preparation.site import Site

__all__ = ["Physics", "finding_physics"]


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


def finding_physics(site: Site) -> Iterator[ForwardModel | Physics]:
    """Find the forward model that the recipe of a site names.

    Yields
    ------
    ForwardModel or Physics
        What can be looked through already, where finding it takes long; at last, the
        result.
    """
    settings = site.recipe.forward
    made = load(settings.home)(settings, site)
    if isinstance(made, Physics):
        yield made
    else:
        yield from made
