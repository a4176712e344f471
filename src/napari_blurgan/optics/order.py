"""PSFs in the order of a Fourier transform, their centre in the first voxel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["unwrapped"]

# Of the fall-off on one side of the centre to that on the other: noise and aberrations
# make them differ, but a PSF that merely touches the border has nothing beyond it.
LEAST_LIKENESS = 0.5


def unwrapped(data: NDArray[Any]) -> tuple[NDArray[Any], tuple[int, ...]]:
    """Return a PSF with its centre in the middle, and the axes that had it elsewhere.

    In the order of a Fourier transform (FFT), the centre is the first voxel and what
    lies before it stands at the end of the array; ``ifftshift`` makes such PSFs. An
    axis is in that order if the brightest voxel lies at its start, and the light goes
    on at its end as it does next to the start. All axes longer than two must be, or
    all but z.

    Parameters
    ----------
    data : ndarray
        (z, y, x) or (y, x), real.

    Returns
    -------
    data : ndarray
        Centred on the voxel ``n // 2`` of every axis; `data` itself if it was.
    axes : tuple of int
        Those that were put in order; empty if none was.
    """
    if not np.isfinite(data).all():
        return data, ()
    long = [axis for axis, n in enumerate(data.shape) if n > 2]
    wrapped = [axis for axis in long if _is_wrapped(data, axis)]
    in_plane = {axis for axis in long if axis >= data.ndim - 2}
    if not in_plane or not in_plane <= set(wrapped):
        return data, ()
    return np.fft.fftshift(data, wrapped), tuple(wrapped)


def _is_wrapped(data: NDArray[Any], axis: int) -> bool:
    others = tuple(a for a in range(data.ndim) if a != axis)
    profile = data.max(axis=others).astype(np.float64)
    profile -= profile.min()
    top = int(profile.argmax())
    if profile[top] == 0 or min(top, len(profile) - top) > 1:
        return False
    before, after = profile[top - 1], profile[(top + 1) % len(profile)]
    sharp = max(before, after) < 1e-3 * profile[top]
    return sharp or min(before, after) > LEAST_LIKENESS * max(before, after)
