"""The grain of the estimate, by predicting photons."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_blurgan.estimates.judge import standard_error
from napari_blurgan.heldout.comparison import Comparison
from napari_blurgan.heldout.regions import REGION
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.width import fwhm
from napari_blurgan.preparation.calibration import NoiseModel

__all__ = ["best_grain"]

FINEST, COARSER, COARSEST = 0.17, 1.25, 0.9
"""Standard deviations that are tried, relative to the lateral FWHM of the blur: the
finest, by how much each is coarser than the one before, and the limit. A coarser grain
would be wider than the blur itself."""

AS_GOOD, WORSE = 0.5, 2.0
"""Standard errors of the difference up to which a grain predicts as well as the best,
and from which it is worse, as are coarser ones. Photons tell little about filaments:
in simulations the best is a step or two too fine for them, and right for the others."""


def best_grain(
    region: NDArray[np.float32], blur: BlurKernel, noise: NoiseModel
) -> float:
    """Return the coarsest grain with which photons are predicted as well as possible.

    Half of the photons predicts the other half.

    Parameters
    ----------
    region : ndarray
        ([z,] y, x), in normalised intensities, in which zero is the background.
    blur : BlurKernel
        H.
    noise : NoiseModel
        Of the image.

    Returns
    -------
    float
        Standard deviation in voxels of a plane; 0: single voxels predict best.
    """
    compared = Comparison(region, blur, noise, REGION)
    tried: dict[float, Tensor] = {}
    best = 0.0
    for grain in (0.0, *_ladder(blur)):
        tried[grain] = compared.squares(blur, grain)
        best = min((best, grain), key=lambda g: float(tried[g].mean()))
        if _is_worse(tried[grain], tried[best], WORSE):
            break
    good = (g for g in tried if not _is_worse(tried[g], tried[best], AS_GOOD))
    return round(max(good), 2)


def _is_worse(squares: Tensor, best: Tensor, errors: float) -> bool:
    loss = squares - best
    return float(loss.mean()) > errors * standard_error(loss)


def _ladder(blur: BlurKernel) -> Iterator[float]:
    """Yield grains from fine to coarse, in voxels of a plane.

    None for a blur that is cut off in the plane before it has fallen to half.
    """
    kernel = blur.kernel().detach().cpu().numpy()
    widths = fwhm(kernel.reshape(kernel.shape[-blur.dims :]))
    width = float(np.mean(widths[-2:]))
    share = FINEST if np.isfinite(width) else COARSEST
    while share < COARSEST:
        yield share * width
        share *= COARSER
