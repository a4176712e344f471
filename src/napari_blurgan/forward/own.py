"""A forward model defined by the user."""

from __future__ import annotations

from napari_blurgan.errors import RecipeError
from napari_blurgan.forward.physics import Physics
from napari_blurgan.methods.forwards import OwnForward
from napari_blurgan.preparation.site import Site

__all__ = ["own_physics"]


def own_physics(settings: OwnForward, site: Site) -> Physics:
    """Return the forward model of the user.

    Raises
    ------
    RecipeError
        If there is none, or it is of other dimensions than the recipe.
    """
    model, dims = site.known.forward, site.recipe.dims
    if model is None:
        raise RecipeError(
            "forward 'own' needs a ForwardModel: Trainer(..., forward=model); a recipe "
            "alone cannot contain one"
        )
    if model.dims != dims:
        raise RecipeError(
            f"the forward model has {model.dims} dimensions, the recipe {dims}"
        )
    return Physics(model, site.recipe)
