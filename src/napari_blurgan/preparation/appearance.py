"""What images look like, in a few numbers that do not depend on brightness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_blurgan.data.normalize import random_blocks
from napari_blurgan.data.regions import read_region
from napari_blurgan.data.stack import Stack
from napari_blurgan.interruption import heed_stop

__all__ = ["FEATURES", "appearance"]

BANDS = (1 / 24, 1 / 12, 1 / 8, 1 / 6, 1 / 4.5, 1 / 3.5)
"""Edges of bands of spatial frequency in the plane, in cycles per pixel."""

FLOOR = 0.4
"""Cycles per pixel beyond which there is only noise."""

FEATURES = (
    *(f"detail of {1 / f:.0f} pixels" for f in BANDS[:-1]),
    "sparsity",
    "peaks",
)
SMALLEST = 32
BLOCKS = 24
SMOOTH = 1.5

Values = NDArray[np.float64]


def appearance(
    stacks: Sequence[Stack], channels: Sequence[int] | None = None
) -> tuple[float, ...] | None:
    """Return the appearance of images; None if they are too small.

    Parameters
    ----------
    stacks : sequence of Stack
        Two dozen random blocks of them are read.
    channels : sequence of int, optional
        Those to look at; all by default.

    Returns
    -------
    tuple of float
        As `FEATURES` names them; natural logarithms of ratios.
    """
    parts = list(_measured(stacks, channels))
    return tuple(map(float, _features(parts))) if len(parts) > 1 else None


def _measured(
    stacks: Sequence[Stack], channels: Sequence[int] | None
) -> Iterator[tuple[Values, Values]]:
    """Yield band powers and moments of blocks."""
    count = 0
    for stack, time, start, shape in random_blocks(stacks, np.random.default_rng(0)):
        heed_stop()
        if min(shape[-2:]) < SMALLEST:
            continue
        chosen = range(stack.channels) if channels is None else channels
        block = read_region(stack, time, start, shape, chosen)
        planes = block.reshape(-1, *block.shape[-2:]).astype(np.float64)
        if np.isfinite(planes).all():
            yield _bands(planes), _moments(planes)
            count += 1
        if count >= BLOCKS:
            return


def _bands(planes: Values) -> Values:
    """Return the mean power of each band, without that of the noise."""
    height, width = planes.shape[-2:]
    window = np.hanning(height)[:, None] * np.hanning(width)
    centred = planes - planes.mean((-2, -1), keepdims=True)
    power = np.square(np.abs(np.fft.rfft2(centred * window))).mean(0)
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    noise = power[radius > FLOOR].mean()
    edges = pairwise(BANDS)
    found = [power[(radius >= low) & (radius < high)].mean() for low, high in edges]
    return np.array([*found, noise]) / (height * width)


def _moments(planes: Values) -> Values:
    """Return |x|, x² and x⁴ of the denoised pixels, about the median."""
    smooth = gaussian_filter(planes, (0, SMOOTH, SMOOTH))
    light = smooth - np.median(smooth)
    return np.array([np.abs(light).mean(), (light**2).mean(), (light**4).mean()])


def _features(parts: Sequence[tuple[Values, Values]]) -> Values:
    bands, moments = (np.mean(values, axis=0) for values in zip(*parts, strict=True))
    signal = np.maximum(bands[:-1] - bands[-1], np.maximum(0.1 * bands[-1], 1e-30))
    first, second, fourth = np.maximum(moments, 1e-30)
    shape = [np.log(first**2 / second), 0.5 * np.log(fourth / second**2)]
    return np.array([*np.log(signal / signal.sum()), *shape])
