"""A blur along z alone: that by which planes are sharper than sections."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from napari_blurgan.errors import RecipeError
from napari_blurgan.forward.axial_width import FWHM, axial_width
from napari_blurgan.forward.physics import Physics
from napari_blurgan.methods.forwards import ForwardSettings
from napari_blurgan.methods.parts import ADJOINT, KERNEL, Need
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.preparation.site import Site

__all__ = ["AxialBlurForward", "axial_blur_physics"]

REACH = 3.0
"""Standard deviations of the blur that are computed."""


class AxialBlurForward(ForwardSettings):
    """A Gaussian blur along z."""

    kind: Literal["axial-blur"] = "axial-blur"
    home: ClassVar[str] = "napari_blurgan.forward.axial_blur:axial_blur_physics"
    one_channel: ClassVar[bool] = True

    width: Annotated[float, Field(gt=0, le=100)] | Literal["auto"] = "auto"
    """Full width at half maximum, in voxels: that by which y is blurred more along z
    than in its planes. "auto" compares their spectra."""

    @property
    def offers(self) -> frozenset[Need]:
        """A blur kernel."""
        return super().offers | {KERNEL, ADJOINT}


def axial_blur_physics(settings: AxialBlurForward, site: Site) -> Physics:
    """Return the blur; the recipe has its width then.

    Raises
    ------
    RecipeError
        If the recipe is one of planes.
    DataError
        If the images are not blurred along z.
    """
    if site.recipe.dims != 3:
        raise RecipeError("forward 'axial-blur' needs volumes: set dims to 3")
    width = axial_width(site.y) if settings.width == "auto" else settings.width
    sigma = width / FWHM
    places = np.arange(-np.ceil(REACH * sigma), np.ceil(REACH * sigma) + 1)
    values = np.exp(-((places / sigma) ** 2) / 2)
    kernel = (values / values.sum()).astype(np.float32)[:, None, None]
    blur = BlurKernel(FixedKernel(kernel), site.calibration.gain)
    return Physics(blur, site.recipe.updated({"forward.width": width}))
