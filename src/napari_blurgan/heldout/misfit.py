"""The part of the images that the blur does not explain, for any object."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.estimates.projected import window
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.fourier import transfer_function
from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.preparation.photons import split_photons

__all__ = ["NOTABLE_MISFIT", "misfit"]

NOTABLE_MISFIT = 3.0
"""Misfit above which the image counts as unexplained, and a note is shown. With the
right PSF it reaches 2, for light comes from beyond the stack, too; with an aperture a
tenth too small it is 80 to 900 in bright images (docs/no-sharp-data.md), and in dim
ones no higher than with the right one."""

PASSED = 0.1
"""Minimum of |H|^2 for the frequencies at which residuals are examined."""

TINY = 1e-30
"""Avoids dividing by zero in images without noise."""

TAPER = 8
"""Voxels over which the residuals fall to zero at the border."""


def misfit(
    region: NDArray[np.float32], blur: BlurKernel, noise: NoiseModel, iterations: int
) -> float:
    """Return the power of the unexplained part, in units of the noise.

    Each half of the photons is predicted from the other. What the two residuals have in
    common is not noise: it is what no object explains with this blur. If the blur is
    right, the value is slightly negative, because each restoration has fitted the noise
    of the half that is used in the other residual.

    Parameters
    ----------
    region : ndarray
        ([z,] y, x), in normalised intensities.
    blur : BlurKernel
        H.
    noise : NoiseModel
        Of the image.
    iterations : int
        Of accelerated Richardson-Lucy.

    Returns
    -------
    float
        Zero: the blur explains all that can be seen; one: as much as there is noise is
        left unexplained.
    """
    estimator = Estimator(iterations, noise.pedestal)
    image, rng = torch.from_numpy(region)[None, None], np.random.default_rng(0)
    one, other = split_photons(image, noise, 0.5, rng)
    taper = window(tuple(region.shape), TAPER)
    residuals = [
        taper * (unseen - estimator.fit(seen, blur)[1])
        for seen, unseen in ((one, other), (other, one))
    ]
    # A half has twice the noise of the whole.
    variance = 2 * (noise.slope * max(float(region.mean()), 0.0) + noise.intercept)
    common = _passed(residuals[0], residuals[1], blur)
    return common / max(variance * float(taper.square().mean()), TINY)


def _passed(one: Tensor, other: Tensor, blur: BlurKernel) -> float:
    """Return the mean cross power per voxel of the transmitted frequencies."""
    shape = tuple(one.shape[2:])
    kernel = blur.kernel().detach().float()
    kernel = kernel.reshape(kernel.shape[-len(shape) :])
    size = [max(n, k) for n, k in zip(shape, kernel.shape, strict=True)]
    axes = tuple(range(-len(shape), 0))
    passed = transfer_function(kernel / kernel.sum(), size).abs().square() >= PASSED
    spectra = [torch.fft.rfftn(image, s=size, dim=axes) for image in (one, other)]
    cross = (spectra[0] * spectra[1].conj()).real[..., passed]
    return float(cross.mean()) / one.numel()
