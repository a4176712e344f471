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

WORTH = 0.008
"""Share by which the error must fall for a narrower blur where the given one explains
the image. In dim light a blur narrower than the right one predicts a little better,
like smoothing: simulated sheets at 120 photons by up to 0.006, which cost 0.4 dB. With
an aperture a tenth too small it is 0.010 to 0.025, or the image is not explained."""

WORTH_DOUBTED = 0.003
"""The same where the given blur does not explain the image, which may be due to the
background: at 120 photons 0.0015 for sheets and nothing for nuclei with the right
aperture, 0.009 and 0.004 with one that is a tenth too small. The right one, narrowed to
0.92, cost a network of sheets 1.2 dB."""

NEARLY = 0.15
"""Part of the gain of the best width over the given one that a chosen width may lack:
on simulated shells and filaments the best is a twentieth too narrow, and the true width
has 0.85 of its gain."""

TRIES = 6
"""Widths that are tried to find the best."""

STEPS = 4
"""Bisections of the interval between the given width and the best."""


def best_width(
    region: NDArray[np.float32],
    blur: BlurKernel,
    noise: NoiseModel,
    tolerance: float,
    explained: bool = True,
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
    explained : bool
        Whether the given blur explains the image, as far as its misfit shows; a
        narrower one must then predict the photons better by `WORTH`, and otherwise
        by `WORTH_DOUBTED`.

    Returns
    -------
    float
        At most 1, which stands where the given width is as good as any.
    """
    compared = Widths(region, blur, noise)
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
    if least > (1 - (WORTH if explained else WORTH_DOUBTED)) * compared.error(1.0):
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
    region, blur, noise
        As `best_width` takes them.
    """

    def __init__(
        self, region: NDArray[np.float32], blur: BlurKernel, noise: NoiseModel
    ) -> None:
        self.blur = blur
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
            self.squares[scale] = self.comparison.squares(blur)
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
