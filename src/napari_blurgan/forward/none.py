"""No forward model."""

from __future__ import annotations

from napari_blurgan.forward.physics import Physics
from napari_blurgan.methods.forwards import NoForward
from napari_blurgan.optics.forward import NoForward as NoModel
from napari_blurgan.preparation.site import Site

__all__ = ["no_physics"]


def no_physics(settings: NoForward, site: Site) -> Physics:
    """Return a forward model that is never used."""
    return Physics(NoModel(site.recipe.dims), site.recipe)
