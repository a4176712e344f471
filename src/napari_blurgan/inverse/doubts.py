"""Reasons to doubt that an array is the image of one point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["doubt"]

APART = 3.0
"""Voxels across between two spots that are not one: lobes of an aberrated PSF lie
above each other along z."""
SMOOTH = 3
"""Voxels along each axis of the mean in which spots are looked for."""
MANY = 10
"""Spots after which no more are counted: an array of noise has thousands."""


def doubt(data: NDArray[np.floating]) -> str | None:
    """Return what is wrong with a PSF, in words, if it does not show one point.

    Parameters
    ----------
    data : ndarray
        (z, y, x), non-negative.
    """
    if data.size > 1 and data.min() == data.max():
        return f"all {data.size} values of the PSF are equal: is this the right file?"
    spots = _spots(data)
    if len(spots) < 2:
        return None
    number = f"at least {MANY}" if len(spots) == MANY else str(len(spots))
    return (
        f"the PSF contains {number} spots, each at least half as bright as the "
        "brightest: is more than one bead in it, or more than one channel?"
    )


def _spots(data: NDArray[np.floating]) -> list[NDArray[np.float64]]:
    """Return the places (y, x) of what is bright, each away from all others."""
    smooth = ndimage.uniform_filter(data, [min(SMOOTH, n) for n in data.shape])
    labels, count = ndimage.label(smooth > smooth.max() / 2)
    centres = ndimage.center_of_mass(smooth, labels, range(1, count + 1))
    spots: list[NDArray[np.float64]] = []
    for centre in np.array(centres)[:, 1:]:
        if all(np.hypot(*(centre - other)) > APART for other in spots):
            spots.append(centre)
        if len(spots) == MANY:
            break
    return spots
