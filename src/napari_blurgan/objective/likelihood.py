"""How likely a measurement is, given the signal."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from napari_blurgan.errors import DataError
from napari_blurgan.methods.terms import TermSettings
from napari_blurgan.objective.term import Term
from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.preparation.mixture import DARKEST, noise_of_frames
from napari_blurgan.preparation.site import Site
from napari_blurgan.transport.transported import Transported

__all__ = ["Likelihood", "LikelihoodTerm"]

LEAST = 1e-4
"""Of the range of the images: a deviation below which there is no noise."""


class LikelihoodTerm(TermSettings):
    """-log p(y | G(y)), with the noise of the camera as it was estimated.

    The noise is normal, with a variance that depends on the signal: slope * signal +
    intercept (Prakash et al. 2021; equation 23 of Akçakaya et al. 2022); or it has any
    shape, measured from repeated frames.
    """

    noise: Literal["line", "frames"] = "line"
    """"line": normal, with a variance that is a straight line over the signal, as found
    in the images themselves. "frames": a mixture of Gaussians, fitted to the time
    points of the images, which then have to show one unchanging field each."""

    home: ClassVar[str] = "napari_blurgan.objective.likelihood:Likelihood"


class Likelihood(Term):
    """The mean over all voxels, in nats.

    Parameters
    ----------
    settings : LikelihoodTerm
        Its weight.
    site : Site
        The data, with their noise.

    Raises
    ------
    DataError
        If the images have no noise that could be measured, or too few frames.
    """

    def __init__(self, settings: LikelihoodTerm, site: Site) -> None:
        super().__init__(settings, site)
        self.noise = _measured(site.calibration.noise)
        self.mixture = (
            noise_of_frames(site.y, site.calibration.y, self.noise)
            if settings.noise == "frames"
            else None
        )

    def forward(self, images: Transported) -> Tensor:
        """Return it."""
        signal, noise = images.x_hat, self.noise
        if self.mixture is not None:
            made: Tensor = self.mixture(signal, images.y).mean()
            return made
        light = signal.clamp(min=DARKEST * noise.slope)
        variance = noise.slope * light + noise.intercept
        error = (images.y - signal).square()
        return (torch.log(variance) + error / variance).mean() / 2


def _measured(noise: NoiseModel) -> NoiseModel:
    if noise.slope + noise.intercept > LEAST**2:
        return noise
    raise DataError(
        "terms.likelihood needs noise: none was found in these images; give raw images "
        "of the camera, neither smoothed nor denoised"
    )
