"""`Transport`: the networks that a recipe names, put together."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from napari_blurgan.networks.patchgan import MultiScaleDiscriminator
from napari_blurgan.optics.forward import BlurKernel, ForwardModel
from napari_blurgan.optics.spectral import SpectralLoss
from napari_blurgan.transport.adversary import Game
from napari_blurgan.transport.calibration import NoiseModel
from napari_blurgan.transport.generator import Generator
from napari_blurgan.transport.saliency import Threshold
from napari_blurgan.transport.transported import present

__all__ = ["Geometry", "Transport"]


@dataclass(frozen=True)
class Geometry:
    """Sizes of what is drawn for one training patch.

    Parameters
    ----------
    patch : tuple of int
        What the networks see.
    margin : tuple of int
        What the blur consumes, on each side.
    """

    patch: tuple[int, ...]
    margin: tuple[int, ...]

    @property
    def wide(self) -> tuple[int, ...]:
        """Size of what is blurred to give a patch."""
        pairs = zip(self.patch, self.margin, strict=True)
        return tuple(n + 2 * m for n, m in pairs)

    @property
    def pool(self) -> tuple[int, ...]:
        """Pooling factor of each axis: thin axes keep all their planes."""
        return tuple(2 if p >= 12 else 1 for p in self.patch)


class Transport(nn.Module):
    """G, H and the two potentials, with what they need to know of the data.

    Parameters
    ----------
    generator : Generator
        G, from y to x.
    forward_model : ForwardModel or None
        H, from x to y.
    potential_x, potential_y : MultiScaleDiscriminator or None
        phi and psi, where the recipe gives them a weight.
    game : Game
        What the scores of the potentials cost.
    noise : NoiseModel or None
        Given to Hx, so that G meets what it will meet.
    thresholds : pair of Threshold, optional
        T_alpha for y and T_beta for x, for the saliency constraint.
    spectrum : SpectralLoss, optional
        The power spectra of the two data sets.
    """

    def __init__(
        self,
        generator: Generator,
        forward_model: ForwardModel | None,
        potential_x: MultiScaleDiscriminator | None,
        potential_y: MultiScaleDiscriminator | None,
        game: Game,
        noise: NoiseModel | None = None,
        thresholds: tuple[Threshold, Threshold] | None = None,
        spectrum: SpectralLoss | None = None,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.forward_model = forward_model
        self.potential_x = potential_x
        self.potential_y = potential_y
        self.game = game
        self.noise = noise
        self.thresholds = thresholds
        self.spectrum = spectrum

    def to_x(self, y: Tensor) -> Tensor:
        """G(y)."""
        return self.generator(y)

    def to_y(self, x: Tensor) -> Tensor:
        """Hx, where all of the blur's support is known."""
        return present(self.forward_model)(x)

    def add_noise(self, y: Tensor) -> Tensor:
        """Give Hx the noise of y."""
        return y if self.noise is None else self.noise.add(y)

    @property
    def blur(self) -> BlurKernel | None:
        """The forward model, where it is a blur."""
        model = self.forward_model
        return model if isinstance(model, BlurKernel) else None

    def kernel(self) -> Tensor | None:
        """Return the present kernel, (z, y, x), where the forward model is a blur."""
        return None if self.blur is None else self.blur.kernel().detach()

    def set_precision(self, precision: torch.dtype) -> None:
        """Choose what the networks compute in; blur and guide stay in float32."""
        for module in self.modules():
            if isinstance(module, Generator):
                module.set_precision(precision)

    def potentials(self) -> dict[str, MultiScaleDiscriminator]:
        """Return the potentials there are, by the name of their domain."""
        both = {"x": self.potential_x, "y": self.potential_y}
        return {name: p for name, p in both.items() if p is not None}
