"""A microscope that measures every n-th plane."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from napari_blurgan.errors import RecipeError
from napari_blurgan.forward.physics import Physics
from napari_blurgan.methods.forwards import ForwardSettings
from napari_blurgan.optics.forward import ForwardModel
from napari_blurgan.optics.symmetry import Symmetry
from napari_blurgan.preparation.site import Site

__all__ = ["AxialForward", "AxialSubsampling", "axial_physics"]


class AxialForward(ForwardSettings):
    """Every `step`-th plane of x, repeated until the next."""

    kind: Literal["axial-subsampling"] = "axial-subsampling"
    home: ClassVar[str] = "napari_blurgan.forward.axial:axial_physics"

    step: Annotated[int, Field(ge=2, le=32)] = 4
    """Planes of x per plane of y."""


class AxialSubsampling(ForwardModel):
    """Measures every `step`-th plane and repeats it until the next.

    Parameters
    ----------
    step : int
        Planes of x to one that is seen.
    gain : float
        Mean of y over mean of x.
    """

    gain: Tensor

    def __init__(self, step: int, gain: float = 1.0) -> None:
        super().__init__(dims=3)
        self.step = step
        self.register_buffer("gain", torch.tensor(float(gain)))

    @property
    def symmetry(self) -> Symmetry:
        """Symmetric in the plane only: the measured plane is the first of its step."""
        return Symmetry("yx")

    def expected_level(self, y: Tensor, x: Tensor) -> Tensor:
        """Return the mean of y without the gain."""
        return y.mean() / self.gain

    def forward(self, x: Tensor) -> Tensor:
        """Return y, (n, c, z, y, x), on the grid of `x`."""
        planes = self.gain * x[:, :, :: self.step]
        return planes.repeat_interleave(self.step, dim=2)[:, :, : x.shape[2]]


def axial_physics(settings: AxialForward, site: Site) -> Physics:
    """Return the operator.

    Raises
    ------
    RecipeError
        If the recipe is one of planes.
    """
    if site.recipe.dims != 3:
        raise RecipeError("forward 'axial-subsampling' needs volumes: set dims to 3")
    model = AxialSubsampling(settings.step, site.calibration.gain)
    return Physics(model, site.recipe)
