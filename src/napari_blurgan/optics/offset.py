"""The camera offset in a measured PSF: detected and subtracted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

__all__ = ["without_offset"]

# The darkest quarter of an array with an offset has one level. In PSFs without
# one, including theoretical ones, its levels differ by a half or more.
LEVEL = 1.25
LEAST = 0.01  # share of the sum: less does no harm
NEIGHBOURS = 3
SMALLEST = 11  # voxels along y and x that show the dark surroundings of a PSF
CLEAR = 3.0  # standard deviations


def without_offset(data: NDArray[Any]) -> tuple[NDArray[Any], float]:
    """Return a PSF without its constant level, and the share of that in the sum.

    An offset is not light from the point: spread over all voxels it soon dominates the
    sum, and deconvolution with it mistakes the image for haze. It is recognised by a
    dark quarter of the array that is constant except for noise. Voxels whose
    neighbourhood does not exceed that noise are set to zero.

    Parameters
    ----------
    data : ndarray
        (z, y, x), its centre amid the array.

    Returns
    -------
    data : ndarray
        `data` itself where there is no offset.
    share : float
        Of the offset in the sum of the values; zero if there is none.
    """
    values = data.astype(np.float64)
    if min(values.shape[-2:]) < SMALLEST:
        return data, 0.0
    near = tuple(min(NEIGHBOURS, n) for n in values.shape)
    smooth = uniform_filter(values, near, mode="nearest")
    darkest, dark = (float(v) for v in np.percentile(smooth, [5, 25]))
    if darkest <= 0 or dark > LEVEL * darkest:
        return data, 0.0
    # Normal noise: these percentiles are 1.645 and 0.674 deviations below the middle.
    noise = (dark - darkest) / 0.971
    level = dark + 0.674 * noise
    share = level * values.size / float(values.sum())
    clear = smooth > level + CLEAR * max(noise, 1e-6 * level)
    if share < LEAST or smooth.max() < level + 4 * CLEAR * noise or not clear.any():
        return data, 0.0
    return np.where(clear, np.maximum(values - level, 0), 0), share
