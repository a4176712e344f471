"""The receptive field of a network: intervals traced back from output to input.

Along one axis, the outputs a … b of a layer need the inputs a' … b'. Following these
intervals from the output to the input gives the exact receptive field, which for a
network with pooling depends on the position of the output voxel within the stride.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = [
    "Interval",
    "clipped",
    "halo",
    "hull",
    "pooled",
    "strided",
    "transposed",
    "upsampled",
    "widened",
]

Interval = tuple[int, int]


def widened(interval: Interval, radius: int) -> Interval:
    """Return the interval that a convolution of this radius needs."""
    return interval[0] - radius, interval[1] + radius


def clipped(interval: Interval, size: int) -> Interval:
    """Return the part of it within an axis of this size."""
    return max(interval[0], 0), min(interval[1], size - 1)


def pooled(interval: Interval, factor: int) -> Interval:
    """Return the interval that pooling over `factor` voxels needs."""
    return factor * interval[0], factor * interval[1] + factor - 1


def strided(interval: Interval, factor: int, radius: int) -> Interval:
    """Return the interval that a convolution with the stride `factor` needs."""
    return widened((factor * interval[0], factor * interval[1]), radius)


def upsampled(interval: Interval, factor: int) -> Interval:
    """Return the interval that repeating each voxel `factor` times needs."""
    return interval[0] // factor, interval[1] // factor


def transposed(interval: Interval, factor: int) -> Interval:
    """Return what a transposed convolution of 2 · factor - 1 voxels needs."""
    return interval[0] // factor, -(-interval[1] // factor)


def hull(one: Interval, other: Interval) -> Interval:
    """Return the smallest interval that contains both."""
    return min(one[0], other[0]), max(one[1], other[1])


def halo(needs: Callable[[Interval], Interval], stride: int) -> int:
    """Return the largest distance between an output voxel and an input it needs."""
    fields = [(at, needs((at, at))) for at in range(stride)]
    return max(max(at - first, last - at) for at, (first, last) in fields)
