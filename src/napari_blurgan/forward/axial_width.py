"""How much wider a microscope blurs along z than in its planes, from spectra alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.regions import read_region
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError

__all__ = ["FWHM", "axial_width"]

Array = NDArray[np.float64]

FWHM = 2.3548
"""Full width of a Gaussian in standard deviations."""
LARGEST = 128
"""Voxels per axis that are looked at."""
FLOOR_SHARE = 0.15
"""Share of the frequencies, the highest, that show the noise alone."""
ABOVE = 3.0
"""A frequency counts if its power exceeds the noise as many times."""
BLOCK = 8
"""Voxels across a direction over which the mean is taken."""
LOWEST = 2
"""The first frequencies show the size of the field, not the blur."""


def axial_width(stacks: Sequence[Stack]) -> float:
    """Return the full width, in voxels, of a Gaussian that blurs planes like sections.

    Structures are taken to have no preferred direction: their power along z, divided by
    that along x and y, is then the squared transfer function of what blurs along z
    alone, exp(-(2 pi sigma f)^2).

    Parameters
    ----------
    stacks : sequence of Stack
        Volumes with cubic voxels; the middle of the first is looked at.

    Raises
    ------
    DataError
        If they are not wider along z.
    """
    volume = _middle(stacks[0])
    along = np.mean([_power(volume, 0, other) for other in (1, 2)], 0)
    grid = np.arange(1, len(along)) / (2 * (len(along) - 1))
    planes = [_resampled(_power(volume, axis, 0), grid) for axis in (1, 2)]
    squares, ratio = _ratio(grid, along[1:], np.mean(planes, 0))
    slope = np.polyfit(squares, ratio, 1)[0] if len(ratio) > 2 else 0.0
    if slope >= 0:
        raise DataError(
            f"{stacks[0].name}: its spectrum along z is no narrower than in the "
            f"planes, so that forward.width cannot be found: set it, in voxels"
        )
    return round(float(FWHM * np.sqrt(-slope) / (2 * np.pi)), 3)


def _middle(stack: Stack) -> Array:
    """Return the middle of the first time point and channel, (z, y, x)."""
    size = [min(n, LARGEST) for n in stack.spatial_shape]
    corner = [(n - m) // 2 for n, m in zip(stack.spatial_shape, size, strict=True)]
    return np.asarray(read_region(stack, 0, corner, size, [0])[0], np.float64)


def _power(volume: Array, along: int, across: int) -> Array:
    """Return the power along an axis, from frequency 0 to one half.

    Means over blocks along the other axis of a section leave frequencies of nearly this
    direction alone; in others, power along x is that of a blur along z as well.
    """
    lines = np.moveaxis(volume, (across, along), (-2, -1))
    count = lines.shape[-2] // BLOCK
    blocks = lines[..., : max(count, 1) * BLOCK, :]
    means = np.stack([b.mean(-2) for b in np.array_split(blocks, max(count, 1), -2)])
    means = means - means.mean(-1, keepdims=True)
    window = np.hanning(means.shape[-1] + 2)[1:-1]
    power = np.square(np.abs(np.fft.rfft(means * window, axis=-1)))
    mean: Array = power.mean((0, 1)) / np.square(window).sum()
    return mean


def _resampled(power: Array, grid: Array) -> Array:
    return np.interp(grid, np.linspace(0, 0.5, len(power)), power)


def _ratio(grid: Array, along: Array, across: Array) -> tuple[Array, Array]:
    """Return squared frequencies and the logarithm of the ratio of powers there."""
    last = max(2, round(FLOOR_SHARE * len(grid)))
    # Interpolation between planes takes noise away along z, at high frequencies only.
    noise = max(float(np.median(power[-last:])) for power in (along, across))
    clear = along > ABOVE * noise
    # Only up to the first frequency that is lost in the noise.
    clear &= np.cumsum(~clear) == 0
    clear &= across > noise
    clear[:LOWEST] = False
    difference = np.log(along[clear] - noise) - np.log(across[clear] - noise)
    return grid[clear] ** 2, difference
