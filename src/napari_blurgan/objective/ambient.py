"""A discriminator of measurements: no sharp image is needed.

The conditional form of an ambientGAN (Akçakaya et al. 2022, eqs 37-40): G(y), measured
again by an H that is drawn at random, must look like any other measurement. Where H is
the same for all images, it can only ask for what the cycle through y asks already.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from napari_blurgan.methods.parts import WAY_BACK, Need
from napari_blurgan.methods.terms import TermSettings
from napari_blurgan.objective.adversarial import Adversarial
from napari_blurgan.preparation.site import Site
from napari_blurgan.transport.transported import Transported, crop_like

__all__ = ["Ambient", "AmbientTerm"]


class AmbientTerm(TermSettings):
    """Adversarial loss of H G(y) with noise, from a discriminator on y."""

    home: ClassVar[str] = "napari_blurgan.objective.ambient:Ambient"
    needs: ClassVar[frozenset[Need]] = frozenset({WAY_BACK})


class Ambient(Adversarial):
    """psi: y against H G(y), including noise."""

    sees: ClassVar[str] = "remeasured"

    def channels(self, site: Site) -> int:
        """The channels of y."""
        return site.channels[0]

    def real_and_made(self, images: Transported) -> tuple[Tensor, Tensor]:
        """Return y and H G(y) with noise, where both are known."""
        made = images.y_again
        return crop_like(images.y, made), made
