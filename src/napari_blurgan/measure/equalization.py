"""Adaptive histogram equalisation, with which Lim et al. (2020) show their results."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["equalized"]


def equalized(image: ArrayLike) -> NDArray[np.float64]:
    """Return an image after contrast-limited adaptive equalisation, plane by plane.

    The method of Zuiderveld (1994) with the defaults of
    `skimage.exposure.equalize_adapthist`: contextual regions of an eighth of the plane,
    a clip limit of 0.01 and 256 bins. Every plane then spans [0, 1]; one without any
    contrast is unchanged.

    Parameters
    ----------
    image : array-like
        (z, y, x) or (y, x), in [0, 1].

    Returns
    -------
    ndarray
        Of the same shape, float64.
    """
    from skimage.exposure import equalize_adapthist

    found = np.array(image, dtype=np.float64)
    for plane in found.reshape(-1, *found.shape[-2:]):
        if np.ptp(plane) > 0:
            plane[:] = equalize_adapthist(plane)
    return found
