"""How wide the blur is: one that is too wide predicts unseen photons worse.

A blur narrower than the given one says that the aperture is larger, or the light of
shorter wavelength, than was said. One that is wider may come of aberrations, scattering
or thick sections, which no scaling of the PSF describes: that is not looked for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.optimize import minimize_scalar
from torch import Tensor

from napari_blurgan.estimates.comparison import Comparison, worse
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.preparation.calibration import NoiseModel

__all__ = ["best_width", "scaled"]

SLIGHT = 0.06
"""Difference in width that is none: in dim light the best is a twentieth too narrow."""

NEARLY = 0.15
"""Of what the best width gains over that which was given, how much may be missing: on
simulated shells and filaments the best is a twentieth too narrow, the true width gains
0.85 as much."""

TRIES = 6
"""Widths that are tried to find the best."""

STEPS = 4
"""Halvings of the interval between the width that was given and the best."""


def best_width(
    region: NDArray[np.float32], blur: BlurKernel, noise: NoiseModel, tolerance: float
) -> float:
    """Return by how much the blur is to be scaled.

    Restored with a blur that is too wide, half of the photons predict the other half
    worse: what is brought out is too fine. One that is somewhat too narrow predicts
    hardly worse, or even better, for the restoration then keeps a part of the blur, as
    if it were smoothed. Of all widths that predict nearly as well as the best, the one
    nearest to what was given is returned.

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
    most = least + NEARLY * (compared.error(1.0) - least)
    for _ in range(STEPS):
        middle = (good + doubted) / 2
        if compared.error(middle) > most:
            doubted = middle
        else:
            good = middle
    return good


class Widths:
    """What the two halves of the photons say of a blur at each width.

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
        """Return the error of the best number of iterations."""
        return float(self._squares(scale).mean())

    def worse(self, scale: float, best: float) -> bool:
        """Whether the photons are predicted worse than at the best, not by chance."""
        return worse(self._squares(scale), self._squares(best))

    def _squares(self, scale: float) -> Tensor:
        if scale not in self.squares:
            blur = scaled(self.blur, scale)
            self.squares[scale] = self.comparison.squares(blur)
        return self.squares[scale]


def scaled(blur: BlurKernel, scale: float) -> BlurKernel:
    """Return a blur that is `scale` times as wide in the plane.

    Along z, where the width of a PSF falls with the square of the aperture, it is the
    square of that.

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
