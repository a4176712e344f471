"""A second deep network as forward model."""

from __future__ import annotations

from napari_blurgan.forward.physics import Physics
from napari_blurgan.methods.forwards import NetworkForward
from napari_blurgan.methods.reconstructors import NetworkReconstructor
from napari_blurgan.optics.forward import NeuralForward
from napari_blurgan.preparation.site import Site
from napari_blurgan.reconstructors.network import make_network

__all__ = ["network_physics"]


def network_physics(settings: NetworkForward, site: Site) -> Physics:
    """Return a network like G, from the channels of x to those of y."""
    recipe, (measured, sharp) = site.recipe, site.channels
    pool, like = site.geometry.pool, recipe.reconstructor
    assert isinstance(like, NetworkReconstructor), "a recipe is checked"
    network = make_network(like, recipe.dims, sharp, measured, pool)
    return Physics(NeuralForward(network, recipe.dims), recipe)
