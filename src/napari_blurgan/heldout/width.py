"""The width of the blur: one that is too wide predicts held-out photons worse.

A blur narrower than the given one means a larger aperture, or a shorter wavelength,
than was specified. A wider one may be due to aberrations, scattering or thick sections,
which no scaling of the PSF describes: wider PSFs are not tried.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.optimize import minimize_scalar
from torch import Tensor

from napari_blurgan.heldout.comparison import Comparison, worse
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.preparation.calibration import NoiseModel

__all__ = ["best_width", "scaled"]

SLIGHT = 0.06
"""Difference in width that is ignored: in dim light the best is a twentieth too
narrow."""

WORTH = 0.003
"""Share by which the error must fall for a narrower blur. In dim light a blur narrower
than the right one predicts a little better, like smoothing, even where the estimate has
a grain: simulated sheets at 120 photons by up to 0.0021 (without a grain 0.0032), which
cost a network 1.2 dB. With an aperture a tenth too small it is 0.008 to 0.014 at 120
photons, but for diffuse nuclei, which do not tell."""

NEARLY = 0.1
"""Part of the gain of the best width over the given one that a chosen width may lack:
the best is a little too narrow, and the true width has 0.8 (simulated sheets) to 0.94
(filaments) of its gain."""

TRIES = 6
"""Widths that are tried to find the best."""

STEPS = 4
"""Bisections of the interval between the given width and the best."""


def best_width(
    region: NDArray[np.float32],
    blur: BlurKernel,
    noise: NoiseModel,
    tolerance: float,
    grain: float = 0.0,
) -> float:
    """Return the factor by which to scale the blur.

    Restored with a blur that is too wide, half of the photons predict the other half
    worse, because the restored detail is too fine. A blur that is slightly too narrow
    predicts hardly worse, or even better, because part of the blur then remains in the
    restoration, like smoothing. Of all widths that predict almost as well as the best,
    the one closest to the given width is returned.

    Parameters
    ----------
    region : ndarray
        ([z,] y, x), in normalised intensities, in which zero is the background.
    blur : BlurKernel
        H, as it was given.
    noise : NoiseModel
        Of the image.
    tolerance : float
        Share by which the given blur may be too wide, at the most.
    grain : float
        Of the estimates, see `Estimator`: the one that suits the given blur, so that a
        narrower one gains nothing by its smoothness.

    Returns
    -------
    float
        At most 1, which stands where the given width is as good as any.
    """
    compared = Widths(region, blur, noise, grain)
    least, slightly = 1 / (1 + tolerance), 1 - SLIGHT
    if least > slightly or compared.error(slightly) >= compared.error(1.0):
        return 1.0
    found = minimize_scalar(
        compared.error,
        bounds=(least, slightly),
        method="bounded",
        options={"maxiter": TRIES},
    )
    good, doubted = float(found.x), 1.0
    if not compared.worse(doubted, good):
        return 1.0
    least = compared.error(good)
    if least > (1 - WORTH) * compared.error(1.0):
        return 1.0
    most = least + NEARLY * (compared.error(1.0) - least)
    for _ in range(STEPS):
        middle = (good + doubted) / 2
        if compared.error(middle) > most:
            doubted = middle
        else:
            good = middle
    return good


class Widths:
    """Errors of the prediction of photons for each width.

    Parameters
    ----------
    region, blur, noise, grain
        As `best_width` takes them.
    """

    def __init__(
        self,
        region: NDArray[np.float32],
        blur: BlurKernel,
        noise: NoiseModel,
        grain: float = 0.0,
    ) -> None:
        self.blur, self.grain = blur, grain
        self.comparison = Comparison(region, blur, noise)
        self.squares: dict[float, Tensor] = {}

    def error(self, scale: float) -> float:
        """Return the error at the best number of iterations."""
        return float(self._squares(scale).mean())

    def worse(self, scale: float, best: float) -> bool:
        """Whether the prediction is worse than the best, beyond chance."""
        return worse(self._squares(scale), self._squares(best))

    def _squares(self, scale: float) -> Tensor:
        if scale not in self.squares:
            blur = scaled(self.blur, scale)
            self.squares[scale] = self.comparison.squares(blur, self.grain)
        return self.squares[scale]


def scaled(blur: BlurKernel, scale: float) -> BlurKernel:
    """Return a blur that is `scale` times as wide laterally.

    Axially, where the width of a PSF falls with the square of the aperture, the factor
    is squared.

    Parameters
    ----------
    blur : BlurKernel
        With a kernel that is not learned.
    scale : float
        Larger than zero.
    """
    if scale == 1:
        return blur
    kernel = blur.kernel().detach().cpu().numpy().astype(np.float64)
    factors = (scale**2, scale, scale)
    middles = [(n - 1) / 2 for n in kernel.shape]
    places = [
        (np.arange(n) - middle) / factor + middle
        for n, middle, factor in zip(kernel.shape, middles, factors, strict=True)
    ]
    grid = np.meshgrid(*places, indexing="ij")
    values = map_coordinates(kernel, grid, order=3, mode="nearest").clip(min=0)
    return BlurKernel(FixedKernel(values), float(blur.gain), blur.dims)
