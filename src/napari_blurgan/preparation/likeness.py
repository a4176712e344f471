"""Whether two sets show the same kind of structure: threads, sheets or grains.

Power spectra show how much structure there is at each frequency, not whether it
consists of lines or surfaces. The structure tensor does: across a thread the light
changes along two axes, across a sheet along one. Its shape (the linear, planar and
spherical measures of Westin et al. 2002) hardly depends on the density and brightness
of the structures, so measurements agree with simulations from a sharp set of the same
kind.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_blurgan.interruption import heed_stop
from napari_blurgan.preparation.notes import Note

__all__ = ["check_likeness", "difference"]

DETAIL, AROUND = 1.5, 2.0
"""Widths of the gradients and of the averaging of their products, in pixels."""
WINDOW = 64
"""Largest window along each axis, in voxels."""
LOOKS = 12
"""Number of windows of a set that are examined: those with most contrast."""
FEWEST = 3
STRONG = 0.9
"""Quantile of gradient energy above which there is structure and not only noise."""
SAME = 0.05
"""Difference between two shapes that is irrelevant, even if it is significant."""

ODD = 5.0
"""Number of standard errors that are unlikely to be chance."""

Image = NDArray[np.float32]


def check_likeness(
    ours: Sequence[Image], theirs: Sequence[Image], voxel_size: Sequence[float | None]
) -> list[Note]:
    """Compare y with simulations from x; return a note if they differ in kind."""
    z, _, x = voxel_size
    ratio = z / x if z and x else 1.0
    apart = difference(ours, theirs, ratio)
    return [Note.other_structures(apart)] if apart > ODD else []


def difference(ours: Sequence[Image], theirs: Sequence[Image], ratio: float) -> float:
    """Return the difference between the shapes of two sets.

    Parameters
    ----------
    ours, theirs : sequence of ndarray
        ([z,] y, x), equally blurred and equally noisy; in any unit of intensity.
    ratio : float
        Step along z over that in the plane.

    Returns
    -------
    float
        The largest difference of a mean shape over its standard error; 0 where it is
        small, or where too few windows show anything.
    """
    a, b = _shapes(ours, ratio), _shapes(theirs, ratio)
    if min(len(a), len(b)) < FEWEST:
        return 0.0
    apart = np.abs(a.mean(0) - b.mean(0))
    error = np.sqrt(a.var(0, ddof=1) / len(a) + b.var(0, ddof=1) / len(b))
    return float(np.max(np.where(apart > SAME, apart / error.clip(min=1e-6), 0)))


def _shapes(images: Sequence[Image], ratio: float) -> NDArray[np.float64]:
    """Return the shape of the structures in each window of a set, (n, axes - 1).

    For volumes: how sheet-like and how thread-like they are, from 0 to 1.
    """
    windows = [w for image in images for w in _windows(image)]
    windows.sort(key=lambda w: float(w.std()), reverse=True)
    seen = [w for w in windows[:LOOKS] if w.std() > 0.25 * windows[0].std()]
    return np.array([_shape(w, ratio) for w in seen])


def _windows(image: Image) -> Iterator[Image]:
    """Divide an image into as few parts of equal size as `WINDOW` allows."""
    counts = [-(-n // WINDOW) for n in image.shape]
    sizes = [n // count for n, count in zip(image.shape, counts, strict=True)]
    for index in np.ndindex(*counts):
        starts = [i * size for i, size in zip(index, sizes, strict=True)]
        pairs = zip(starts, sizes, strict=True)
        yield image[tuple(slice(start, start + size) for start, size in pairs)]


def _shape(window: Image, ratio: float) -> NDArray[np.float64]:
    """Return the mean differences between neighbouring eigenvalues over the largest."""
    tensors = _structure_tensors(window, ratio)
    heed_stop()
    values = np.linalg.eigvalsh(tensors)[:, ::-1]
    energy = values.sum(1)
    strong = energy >= np.quantile(energy, STRONG)
    falls = -np.diff(values[strong], axis=1) / values[strong, :1].clip(min=1e-12)
    return np.average(falls, axis=0, weights=energy[strong] + 1e-12)


def _structure_tensors(window: Image, ratio: float) -> NDArray[np.float32]:
    """Return tensors at every second position, (n, axes, axes), in pixel units."""
    axes = window.ndim
    steps = np.array([ratio, 1.0, 1.0][-axes:])
    gradients = [
        gaussian_filter(window, DETAIL / steps, order=np.eye(axes, dtype=int)[axis])
        / np.float32(steps[axis])
        for axis in range(axes)
    ]
    every = (slice(None, None, 2),) * axes
    tensors = np.empty((*window[every].shape, axes, axes), np.float32)
    for i, j in itertools.combinations_with_replacement(range(axes), 2):
        heed_stop()
        mean = gaussian_filter(gradients[i] * gradients[j], AROUND / steps)[every]
        tensors[..., i, j] = tensors[..., j, i] = mean
    return tensors.reshape(-1, axes, axes)
