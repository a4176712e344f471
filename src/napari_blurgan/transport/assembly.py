"""`Transport`: G and H together."""

from __future__ import annotations

from torch import Tensor, nn

from napari_blurgan.content.domain_thresholds import thresholds_of
from napari_blurgan.content.threshold import Threshold
from napari_blurgan.optics.forward import ForwardModel
from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.preparation.site import Site
from napari_blurgan.reconstructors.reconstructor import (
    Inferred,
    Reconstructor,
    build_reconstructor,
)

__all__ = ["Transport", "assemble"]


class Transport(nn.Module):
    """G and H, with the properties of the data that they need.

    Parameters
    ----------
    generator : Reconstructor
        G, from y to x.
    forward_model : ForwardModel
        H, from x to y.
    noise : NoiseModel, optional
        Given to Hx, so that G meets what it will meet.
    thresholds : pair of Threshold, optional
        T_alpha for y and T_beta for x: what is content.
    """

    def __init__(
        self,
        generator: Reconstructor,
        forward_model: ForwardModel,
        noise: NoiseModel | None = None,
        thresholds: tuple[Threshold, Threshold] | None = None,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.generator.lend(forward_model)
        self.forward_model = forward_model
        self.noise = noise
        self.thresholds = thresholds

    def to_x(self, y: Tensor, estimate: Tensor | None = None) -> Tensor:
        """G(y)."""
        return self.generator(y, estimate)

    def infer(self, y: Tensor, estimate: Tensor | None = None) -> Inferred:
        """G(y), with all that G knows of it."""
        return self.generator.infer(y, estimate)

    def to_y(self, x: Tensor) -> Tensor:
        """Hx, where the whole support of the blur is known."""
        return self.forward_model(x)

    def matching(self, y: Tensor) -> ForwardModel:
        """Return H as it was when y was measured."""
        return self.forward_model.matching(y)

    def add_noise(self, y: Tensor) -> Tensor:
        """Add the noise of y to Hx."""
        return y if self.noise is None else self.noise.add(y)

    def kernel(self) -> Tensor | None:
        """Return the current image of a point, (z, y, x), if H has one."""
        point = self.forward_model.point_response()
        return None if point is None else point.detach()


def assemble(site: Site) -> Transport:
    """Return the networks named by the recipe of a site."""
    recipe = site.recipe
    noisy = recipe.forward.noise and recipe.forward.photometric
    return Transport(
        build_reconstructor(
            recipe.reconstructor, recipe.dims, site.channels, site.geometry.pool
        ),
        site.forward,
        site.calibration.noise.with_light(recipe.source.light) if noisy else None,
        thresholds_of(recipe, site.calibration),
    )
