"""A second deep network as the way back."""

from __future__ import annotations

from napari_blurgan.optics.forward import NeuralForward
from napari_blurgan.transport.forwards.physics import Physics
from napari_blurgan.transport.forwards.settings import NetworkForward
from napari_blurgan.transport.reconstructors.network import make_network
from napari_blurgan.transport.site import Site

__all__ = ["network_physics"]


def network_physics(settings: NetworkForward, site: Site) -> Physics:
    """Return a network like that of G, from the channels of x to those of y."""
    recipe, (measured, sharp) = site.recipe, site.channels
    pool = site.geometry.pool
    network = make_network(recipe.reconstructor, recipe.dims, sharp, measured, pool)
    return Physics(NeuralForward(network, recipe.dims), recipe)
