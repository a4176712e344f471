"""Saliency thresholds from picked regions of background and foreground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.axes import ArrayLike
from napari_blurgan.checks import in_range
from napari_blurgan.errors import DataError

__all__ = ["Picked", "Region", "threshold_from_regions"]


FARTHEST = 1e9
"""Largest index from the first voxel; no image is that large."""


@dataclass(frozen=True)
class Region:
    """A disc in a plane.

    Parameters
    ----------
    centre : tuple of float
        (y, x), or (z, y, x) in a volume, (t, z, y, x) in a time series, in voxels.
    radius : float
        In the plane, in pixels; 0 takes the one voxel at the centre.
    """

    centre: tuple[float, ...]
    radius: float

    def __post_init__(self) -> None:
        in_range("the radius of a region", self.radius, 0, FARTHEST, unit="pixels")
        for place in self.centre:
            in_range("the centre of a region", place, -FARTHEST, FARTHEST)

    def values(self, image: ArrayLike) -> NDArray[np.float64]:
        """Return the intensities inside, from an image with the axes of `centre`.

        From lazy arrays, only the box around the disc is read.

        Raises
        ------
        DataError
            If the region has other axes than the image, or lies outside it.
        """
        if len(self.centre) != len(image.shape):
            raise DataError(
                f"a region at {self.centre} does not fit an image of shape "
                f"{tuple(image.shape)}: give Y,X,R for planes and Z,Y,X,R for volumes"
            )
        place = tuple(round(c) for c in self.centre)
        if any(not 0 <= p < n for p, n in zip(place, image.shape, strict=True)):
            raise DataError(
                f"the region at {self.centre} lies outside the image of shape "
                f"{tuple(image.shape)}"
            )
        *beyond, cy, cx = place
        reach = int(self.radius)
        rows, columns = (
            range(max(c - reach, 0), min(c + reach + 1, n))
            for c, n in zip((cy, cx), image.shape[-2:], strict=True)
        )
        box = (slice(rows.start, rows.stop), slice(columns.start, columns.stop))
        pixels = np.asarray(image[(*beyond, *box)], dtype=np.float64)
        y, x = np.array(rows)[:, None], np.array(columns)[None]
        inside: NDArray[np.bool_] = (y - cy) ** 2 + (x - cx) ** 2 <= self.radius**2
        return pixels[inside]


@dataclass(frozen=True)
class Picked:
    """A threshold and its origin, in the units of the image.

    Parameters
    ----------
    threshold : float
        Mean of the two means (Li et al. 2021, Methods).
    background, foreground : float
        Mean intensities of the two: each pixel counts as much as any other.
    overlap : float
        Fraction of the picked voxels on the wrong side of the threshold.
    bright_background : bool
        Whether the background is the brighter of the two.
    """

    threshold: float
    background: float
    foreground: float
    overlap: float
    bright_background: bool


def threshold_from_regions(
    image: ArrayLike, background: Sequence[Region], foreground: Sequence[Region]
) -> Picked:
    """Return the saliency threshold between picked background and foreground.

    Parameters
    ----------
    image : array-like
        (y, x) or (z, y, x), with T before them in a time series; of several channels
        their mean (`ChannelMean`). Only the regions are read.
    background, foreground : sequence of Region
        At least one of each.

    Raises
    ------
    DataError
        If a region is missing or outside, holds NaN or infinite values, or the two have
        the same mean.
    """
    for regions, what in ((background, "background"), (foreground, "foreground")):
        if not regions:
            raise DataError(
                f"no {what} was picked: pick at least one region of background and one "
                "of foreground"
            )
    dark, light = (
        np.concatenate([region.values(image) for region in regions])
        for regions in (background, foreground)
    )
    low, high = float(dark.mean()), float(light.mean())
    if not np.isfinite((low, high)).all():
        raise DataError(
            "the picked regions contain NaN or infinite values: pick others"
        )
    if low == high:
        raise DataError(
            f"background and foreground have the same mean intensity, {low:g}: pick "
            f"regions that differ"
        )
    level = (low + high) / 2
    inverted = low > high
    wrong = np.concatenate([(dark > level) != inverted, (light < level) != inverted])
    return Picked(level, low, high, float(wrong.mean()), inverted)
