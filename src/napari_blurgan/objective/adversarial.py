"""The adversarial terms, each with its discriminator.

The dual of the transport problem has two 1-Lipschitz Kantorovich potentials, phi on x
and psi on y (Lim et al. 2020, eq. 17); discriminators stand for them.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from napari_blurgan.methods.terms import TermSettings
from napari_blurgan.networks.patchgan import MultiScaleDiscriminator
from napari_blurgan.objective.adversarial_losses import (
    ADVERSARIAL_LOSSES,
    penalty_of,
    slopes,
)
from napari_blurgan.objective.term import Term
from napari_blurgan.preparation.site import Site
from napari_blurgan.reconstructors.building import within_memory
from napari_blurgan.sampling.replay_buffer import ReplayBuffer
from napari_blurgan.transport.transported import Transported

__all__ = ["Adversarial", "AdversarialX", "AdversarialY"]


class Adversarial(Term):
    """Adversarial loss of generated images, from a discriminator.

    Parameters
    ----------
    settings, site
        As of any term; the discriminator is that of the recipe.

    Attributes
    ----------
    sees : str
        ``"x"``, ``"y"``…: what its discriminator is called by.
    dims : int or None
        Spatial axes of its images; None for those of the recipe.
    history : ReplayBuffer
        Images made before, which it is taught with too.
    """

    sees: ClassVar[str]
    dims: ClassVar[int | None] = None

    def __init__(self, settings: TermSettings, site: Site) -> None:
        super().__init__(settings, site)
        self.settings = site.recipe.discriminator
        self.adversarial_loss = ADVERSARIAL_LOSSES[self.settings.loss]
        self.discriminator = _discriminator(
            site, self.channels(site), self.dims or site.recipe.dims
        )
        self.history = ReplayBuffer(self.settings.history)

    @property
    def name(self) -> str:
        """Name of its discriminator."""
        return f"discriminator_{self.sees}"

    def channels(self, site: Site) -> int:
        """Return the number of channels of its images."""
        raise NotImplementedError

    def real_and_made(self, images: Transported) -> tuple[Tensor, Tensor]:
        """Return the real and the generated images for the discriminator."""
        raise NotImplementedError

    def forward(self, images: Transported) -> Tensor:
        """Return the loss for the generator."""
        _, made = self.real_and_made(images)
        return self.adversarial_loss.generator_loss(self.discriminator(made))

    def discriminator_losses(self, images: Transported) -> dict[str, Tensor]:
        """Return the loss of the discriminator and, if it is constrained, its slope."""
        real, made = self.real_and_made(images)
        fake = self.history.query(made.detach())
        scores = self.discriminator(real), self.discriminator(fake)
        loss = self.adversarial_loss.discriminator_loss(*scores)
        if not self.adversarial_loss.penalised:
            return {self.name: loss}
        steepness = slopes(self.discriminator, real, fake)
        loss = loss + self.settings.gradient_penalty * penalty_of(steepness)
        return {self.name: loss, f"slope_{self.sees}": steepness.mean()}


class AdversarialX(Adversarial):
    """phi: x against G(y)."""

    sees: ClassVar[str] = "x"

    def channels(self, site: Site) -> int:
        """The channels of x."""
        return site.channels[1]

    def real_and_made(self, images: Transported) -> tuple[Tensor, Tensor]:
        """Return x and G(y)."""
        return images.x, images.x_hat


class AdversarialY(Adversarial):
    """psi: y against Hx, including noise."""

    sees: ClassVar[str] = "y"

    def channels(self, site: Site) -> int:
        """The channels of y."""
        return site.channels[0]

    def real_and_made(self, images: Transported) -> tuple[Tensor, Tensor]:
        """Return y and Hx with noise."""
        return images.y, images.transport.add_noise(images.y_hat)


def _discriminator(site: Site, channels: int, dims: int) -> MultiScaleDiscriminator:
    settings = site.recipe.discriminator
    return within_memory(
        lambda: MultiScaleDiscriminator(
            dims,
            channels,
            settings.base,
            scales=settings.scales,
            layers=settings.layers,
            plain_layers=settings.plain_layers,
            head_kernel=settings.head_kernel,
            norm=settings.norm,
            quantiles=settings.quantiles,
            pool=site.geometry.pool[-dims:],
        )
    )
