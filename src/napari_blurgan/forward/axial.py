"""A microscope that sees less along z: planes blurred into each other, or missing."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from napari_blurgan.errors import RecipeError
from napari_blurgan.forward.axial_width import FWHM, axial_width
from napari_blurgan.forward.physics import Physics
from napari_blurgan.methods.forwards import ForwardSettings
from napari_blurgan.methods.parts import ADJOINT, Need
from napari_blurgan.optics.forward import ForwardModel
from napari_blurgan.optics.symmetry import Symmetry
from napari_blurgan.preparation.site import Site

__all__ = ["AxialForward", "AxialSubsampling", "axial_again", "axial_physics"]

REACH = 3.0
"""Standard deviations of the blur that are computed."""
Z = 2
"""The axis of z in (n, c, z, y, x)."""


class AxialForward(ForwardSettings):
    """A blur along z, then every `step`-th plane, repeated until the next."""

    kind: Literal["axial-subsampling"] = "axial-subsampling"
    home: ClassVar[str] = "napari_blurgan.forward.axial:axial_physics"
    remade: ClassVar[str] = "napari_blurgan.forward.axial:axial_again"

    step: Annotated[int, Field(ge=1, le=32)] = 4
    """Planes of x per plane of y; 1 where none is missing."""
    width: Annotated[float, Field(ge=0, le=100)] | Literal["auto"] = 0.0
    """Full width at half maximum, in voxels, of a Gaussian blur along z: that by which
    y is blurred more along z than in its planes; "auto" compares their spectra."""

    @property
    def offers(self) -> frozenset[Need]:
        """A forward model with an adjoint."""
        return super().offers | {ADJOINT}


class AxialSubsampling(ForwardModel):
    """Blurs along z, measures every `step`-th plane and repeats it until the next.

    Parameters
    ----------
    step : int
        Planes of x to one that is seen.
    gain : float
        Mean of y over mean of x.
    width : float
        Of the blur, in voxels at half maximum; 0 for none.
    """

    gain: Tensor
    weights: Tensor

    def __init__(self, step: int, gain: float = 1.0, width: float = 0.0) -> None:
        super().__init__(dims=3)
        self.step = step
        self.register_buffer("gain", torch.tensor(float(gain)))
        self.register_buffer("weights", _gaussian(width / FWHM), persistent=False)

    @property
    def margin(self) -> tuple[int, ...]:
        """Half the blur, as whole steps, so that the same planes are measured."""
        return (-(-(len(self.weights) // 2) // self.step) * self.step, 0, 0)

    @property
    def reach(self) -> tuple[int, ...]:
        """Half the blur, and the planes that repeat a measured one."""
        return (len(self.weights) // 2 + self.step - 1, 0, 0)

    @property
    def symmetry(self) -> Symmetry:
        """Symmetric along z if no plane is missing: it is the first of its step."""
        return Symmetry("zyx" if self.step == 1 else "yx")

    def expected_level(self, y: Tensor, x: Tensor) -> Tensor:
        """Return the mean of y without the gain."""
        return y.mean() / self.gain

    def forward(self, x: Tensor) -> Tensor:
        """Return y, (n, c, z, y, x), on the grid of `x`, shorter by the margins."""
        radius, margin = len(self.weights) // 2, self.margin[0]
        spare = margin - radius
        return self._measured(self._blurred(_cut(x, spare)))

    def towards(self, x: Tensor, y: Tensor) -> Tensor:
        """Return H^T (y - H x) / |H|^2; beyond the border, x is mirrored."""
        unexplained = y - self._measured(self._blurred(self._extended(x)))
        seen = _sums(unexplained, self.step) / self.step
        return self._blurred(self._extended(seen)) / self.gain

    def _measured(self, x: Tensor) -> Tensor:
        planes = self.gain * x[:, :, :: self.step]
        return planes.repeat_interleave(self.step, dim=Z)[:, :, : x.shape[Z]]

    def _blurred(self, x: Tensor) -> Tensor:
        """Return the planes whose whole neighbourhood is there."""
        count = x.shape[Z] - len(self.weights) + 1
        shifted = (x.narrow(Z, n, count) for n in range(len(self.weights)))
        parts = (w * plane for w, plane in zip(self.weights, shifted, strict=True))
        return torch.stack(list(parts)).sum(0) if len(self.weights) > 1 else x

    def _extended(self, x: Tensor) -> Tensor:
        """Mirror the planes at both ends, as often as the blur asks for."""
        radius = len(self.weights) // 2
        places = torch.arange(-radius, x.shape[Z] + radius, device=x.device)
        period = 2 * x.shape[Z]
        places = places % period
        return x.index_select(Z, torch.minimum(places, period - 1 - places))


def _gaussian(sigma: float) -> Tensor:
    radius = round(REACH * sigma)
    places = torch.arange(-radius, radius + 1).float()
    weights = torch.exp(-((places / max(sigma, 1e-6)) ** 2) / 2)
    return weights / weights.sum()


def _cut(x: Tensor, planes: int) -> Tensor:
    return x.narrow(Z, planes, x.shape[Z] - 2 * planes)


def _sums(x: Tensor, step: int) -> Tensor:
    """Add up the planes that repeat a measured one, where that one is."""
    if step == 1:
        return x
    planes = x.shape[Z]
    whole = F.pad(x, (0, 0, 0, 0, 0, -planes % step))
    total = whole.reshape(*x.shape[:Z], -1, step, *x.shape[-2:]).sum(Z + 1, True)
    apart = F.pad(total, (0, 0, 0, 0, 0, step - 1))
    return apart.flatten(Z, Z + 1)[:, :, :planes]


def axial_again(settings: AxialForward, gain: float) -> AxialSubsampling:
    """Return the operator of settings in which nothing is left to be found."""
    assert settings.width != "auto", "the recipe of a model has what was found"
    return AxialSubsampling(settings.step, gain, settings.width)


def axial_physics(settings: AxialForward, site: Site) -> Physics:
    """Return the operator.

    Raises
    ------
    RecipeError
        If the recipe is one of planes.
    DataError
        If the width is to be found, and the images are not blurred along z.
    """
    if site.recipe.dims != 3:
        raise RecipeError("forward 'axial-subsampling' needs volumes: set dims to 3")
    recipe = site.recipe
    if settings.width == "auto":
        recipe = recipe.updated({"forward.width": axial_width(site.y)})
        settings = settings.model_copy(update={"width": recipe.forward.width})  # type: ignore[attr-defined]
    return Physics(axial_again(settings, site.calibration.gain), recipe)
