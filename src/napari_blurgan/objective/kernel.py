"""The terms that constrain a learned kernel."""

from __future__ import annotations

from torch import Tensor

from napari_blurgan.forward.identification import spectrum_of
from napari_blurgan.forward.start import known_or_unit
from napari_blurgan.methods.terms import TermSettings
from napari_blurgan.objective.term import Term
from napari_blurgan.preparation.site import Site
from napari_blurgan.transport.transported import Transported

__all__ = ["KernelL1", "Spectral"]


class KernelL1(Term):
    """Q(h) = |h|_1 (Lim et al. 2020, eq. 22); constant for a sum-one kernel."""

    def forward(self, images: Transported) -> Tensor:
        """Return the sum of absolute values."""
        return images.transport.forward_model.blur.kernel().abs().sum()


class Spectral(Term):
    """Misfit between the power spectra of y and H x; fixes the modulus of the OTF."""

    def __init__(self, settings: TermSettings, site: Site) -> None:
        super().__init__(settings, site)
        dims = site.recipe.dims
        voxel_size = known_or_unit(site.voxel_size, dims)
        self.spectrum = spectrum_of(site.y, site.x, voxel_size, dims)

    def forward(self, images: Transported) -> Tensor:
        """Return the mean squared logarithm of measured over predicted power."""
        misfit: Tensor = self.spectrum(images.transport.forward_model.blur.kernel())
        return misfit
