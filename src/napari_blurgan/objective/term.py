"""`Term`: one term of the loss.

    min_{G,h} max_{phi,psi}   sigma |y - H G(y)|^q  +  rho |x - G(H x)|^p
                              + phi(x) - phi(G y)  +  psi(y) - psi(H x)  +  Q(h)

(Lim et al. 2020, eqs 15-22; Sim et al. 2020, eqs 12-21.) A term without a weight is
never built, and images that only it needs are never computed.
"""

from __future__ import annotations

from torch import Tensor, nn

from napari_blurgan.methods.parts import load
from napari_blurgan.methods.terms import TermSettings
from napari_blurgan.preparation.site import Site
from napari_blurgan.transport.transported import Transported

__all__ = ["Term", "build_terms"]


class Term(nn.Module):
    """A function of one batch and its generated images; it owns what it learns.

    Parameters
    ----------
    settings : TermSettings
        Its section of the recipe.
    site : Site
        The data, and H.
    """

    def __init__(self, settings: TermSettings, site: Site) -> None:
        super().__init__()

    def forward(self, images: Transported) -> Tensor:
        """Return the value, without its weight."""
        raise NotImplementedError


def build_terms(site: Site) -> nn.ModuleDict:
    """Return the terms with a non-zero weight in the recipe of a site, by name."""
    active = site.recipe.active_terms
    return nn.ModuleDict({name: load(s.home)(s, site) for name, s in active.items()})
