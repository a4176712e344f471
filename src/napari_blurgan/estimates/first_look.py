"""The field shown during a training, and its estimate, shown before training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_blurgan.data.stack import Stack
from napari_blurgan.estimates.blocks import blocks_of
from napari_blurgan.estimates.estimator import estimator_of
from napari_blurgan.preparation.site import Site

__all__ = ["FIELD", "Look", "around", "first_look", "in_planes", "places", "spacing"]

FIELD = (16, 96, 96)
"""Largest field in voxels; it is shown often, so it must be cheap."""

AROUND = 8
"""Voxels around the field that are used for its estimate."""


@dataclass(frozen=True)
class Look:
    """A field of the first image and its estimate, (c, [z,] y, x).

    Parameters
    ----------
    before, after : ndarray
        As measured, and as Richardson-Lucy restores it; each in its units.
    corner : tuple of int
        First voxel of the field.
    time : int
        Its time point.
    spacing : float
        As `spacing` returns it.
    """

    before: NDArray[np.float32]
    after: NDArray[np.float32]
    corner: tuple[int, ...]
    time: int = 0
    spacing: float = 1.0


def first_look(
    site: Site, middle: Sequence[float] | None = None, time: int = 0
) -> Look | None:
    """Return a field of the first image, restored by Richardson-Lucy.

    Parameters
    ----------
    site : Site
        With its forward model.
    middle : sequence of float, optional
        Of the field, in voxels of the first image; the liveliest of a few by default.
    time : int
        Time point of the field, or the last if there are fewer.

    Returns
    -------
    Look or None
        None where G refines no estimate.
    """
    estimator = estimator_of(site.recipe.reconstructor, site.calibration)
    if estimator is None:
        return None
    dims, levels = site.recipe.dims, site.calibration
    time = min(time, site.y[0].size("T") - 1)
    *_, block = next(blocks_of(site.y[:1], dims, 1, time))
    block = levels.y.apply(block)
    size = [min(f, n) for f, n in zip(FIELD[-dims:], block.shape[1:], strict=True)]
    apart = spacing(site, site.y[0])
    if middle is not None:
        middle = in_planes(middle, apart)
    corner = _chosen(block, size, middle)
    start = [max(0, c - AROUND) for c in corner]
    stop = [c + n + AROUND for c, n in zip(corner, size, strict=True)]
    wide = block[(slice(None), *map(slice, start, stop))]
    y = torch.from_numpy(np.ascontiguousarray(wide))
    estimate = estimator(y[None], site.forward.blur)[0, -1:].numpy()
    inner = _box([c - s for c, s in zip(corner, start, strict=True)], size)
    before, after = levels.y.undo(wide[inner]), levels.output.undo(estimate[inner])
    return Look(before, after, corner, time, apart)


def spacing(site: Site, stack: Stack) -> float:
    """Return the planes of a measured image per plane of what is trained on.

    Less than one where planes were interpolated to cubic voxels.
    """
    ours, theirs = stack.voxel_size[0], site.voxel_size[0]
    return ours / theirs if ours and theirs else 1.0


def in_planes(middle: Sequence[float], spacing: float) -> list[float]:
    """Return a place in an image, ([t, c,] z, y, x), counted in other planes."""
    z = len(middle) - 3
    return [v / spacing if axis == z else v for axis, v in enumerate(middle)]


def around(
    middle: Sequence[float], size: Sequence[int], whole: Sequence[int]
) -> tuple[int, ...]:
    """Return the first voxel of the field of that size nearest to a middle."""
    spare = np.array(whole) - size
    first = np.rint(np.asarray(middle[-len(size) :]) - np.array(size) / 2)
    return tuple(int(v) for v in np.clip(first, 0, spare))


def places(whole: Sequence[int], size: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the first voxels of the candidate fields of that size."""
    spare = np.array(whole) - size
    return [tuple(int(v) for v in spare * share) for share in (0.25, 0.5, 0.75)]


def _chosen(
    block: NDArray[np.float32], size: Sequence[int], middle: Sequence[float] | None
) -> tuple[int, ...]:
    if middle is not None and len(middle) >= len(size):
        return around(middle, size, block.shape[1:])
    return max(places(block.shape[1:], size), key=lambda c: _spread(block, c, size))


def _spread(
    block: NDArray[np.float32], corner: Sequence[int], size: Sequence[int]
) -> float:
    return float(block[_box(corner, size)].std())


def _box(corner: Sequence[int], size: Sequence[int]) -> tuple[slice, ...]:
    """Return the slices of a field, for all channels."""
    ends = [c + n for c, n in zip(corner, size, strict=True)]
    return (slice(None), *map(slice, corner, ends))
