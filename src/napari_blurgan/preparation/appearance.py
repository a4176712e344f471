"""What images look like, in a few numbers that do not depend on brightness."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_blurgan.data.normalize import random_blocks
from napari_blurgan.data.regions import read_region
from napari_blurgan.data.stack import Stack
from napari_blurgan.interruption import heed_stop

__all__ = ["FEATURES", "FREQUENCIES", "Appearance", "Values", "appearance"]

BANDS = (1 / 24, 1 / 12, 1 / 8, 1 / 6, 1 / 4.5, 1 / 3.5)
"""Edges of bands of spatial frequency in the plane, in cycles per pixel."""

FREQUENCIES = np.add(BANDS[:-1], BANDS[1:]) / 2
"""Middle of each band."""

FLOOR = 0.4
"""Cycles per pixel beyond which there is only noise."""

FEATURES = (
    *(f"detail of {1 / f:.0f} pixels" for f in BANDS[:-1]),
    "sparsity",
    "peaks",
)
"""The first ones belong to `BANDS`."""

SMALLEST = 32
BLOCKS = 24
SMOOTH = 1.5

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Appearance:
    """What images look like, and how much that varies from place to place.

    Parameters
    ----------
    features : tuple of float
        As `FEATURES` names them; natural logarithms of ratios.
    voxels : int
        Of all blocks that were looked at, those of one channel.
    spread : tuple of tuple of float
        Covariance of the features times the voxels, of `FEATURES` × `FEATURES`: divided
        by the voxels of another image of the kind, that of its features.
    """

    features: tuple[float, ...]
    voxels: int
    spread: tuple[tuple[float, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, for JSON."""
        return {
            "features": list(self.features),
            "voxels": self.voxels,
            "spread": [list(row) for row in self.spread],
        }

    @classmethod
    def from_dict(cls, values: Any) -> Appearance | None:
        """Return what `to_dict` wrote; None for anything else, as of a stranger."""
        if not isinstance(values, dict) or set(values) != set(cls.__annotations__):
            return None
        features, voxels, spread = (values[name] for name in cls.__annotations__)
        if not (_numbers(features) and isinstance(voxels, int) and voxels > 0):
            return None
        if not (isinstance(spread, list) and len(spread) == len(FEATURES)):
            return None
        if not all(map(_numbers, spread)):
            return None
        return cls(tuple(features), voxels, tuple(map(tuple, spread)))


def _numbers(values: Any) -> bool:
    """Return whether these are as many finite numbers as there are features."""
    return (
        isinstance(values, list)
        and len(values) == len(FEATURES)
        and all(isinstance(v, int | float) and math.isfinite(v) for v in values)
    )


def appearance(
    stacks: Sequence[Stack], channels: Sequence[int] | None = None
) -> Appearance | None:
    """Return the appearance of images; None if they are too small.

    Parameters
    ----------
    stacks : sequence of Stack
        Two dozen random blocks of them are read.
    channels : sequence of int, optional
        Those to look at; all by default.
    """
    measured = list(_measured(stacks, channels))
    if len(measured) < 2:
        return None
    parts = [part for part, _ in measured]
    voxels = sum(count for _, count in measured)
    spread = voxels * _jackknife(parts)
    rows = tuple(tuple(map(float, row)) for row in spread)
    return Appearance(tuple(map(float, _features(parts))), voxels, rows)


def _jackknife(parts: Sequence[tuple[Values, Values]]) -> Values:
    """Return the covariance of the features of all parts (Efron and Stein 1981)."""
    without = [_features([*parts[:n], *parts[n + 1 :]]) for n in range(len(parts))]
    away = np.subtract(without, np.mean(without, axis=0))
    found: Values = (len(parts) - 1) / len(parts) * away.T @ away
    return found


def _measured(
    stacks: Sequence[Stack], channels: Sequence[int] | None
) -> Iterator[tuple[tuple[Values, Values], int]]:
    """Yield band powers and moments of blocks, and the voxels of each."""
    count = 0
    for stack, time, start, shape in random_blocks(stacks, np.random.default_rng(0)):
        heed_stop()
        if min(shape[-2:]) < SMALLEST:
            continue
        chosen = range(stack.channels) if channels is None else channels
        block = read_region(stack, time, start, shape, chosen)
        planes = block.reshape(-1, *block.shape[-2:]).astype(np.float64)
        if np.isfinite(planes).all():
            yield (_bands(planes), _moments(planes)), math.prod(shape)
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
