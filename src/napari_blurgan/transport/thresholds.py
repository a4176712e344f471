"""Saliency thresholds from picked regions of background and foreground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_blurgan.errors import DataError

__all__ = ["Picked", "Region", "threshold_from_regions"]


@dataclass(frozen=True)
class Region:
    """A disc in a plane.

    Parameters
    ----------
    centre : tuple of float
        (y, x), or (z, y, x) in a volume, in voxels.
    radius : float
        In the plane, in pixels; 0 takes the one voxel at the centre.
    """

    centre: tuple[float, ...]
    radius: float

    def values(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the intensities inside, of an image (y, x) or (z, y, x).

        Raises
        ------
        DataError
            If the region has other axes than the image, or lies outside it.
        """
        if len(self.centre) != image.ndim:
            raise DataError(
                f"a region at {self.centre} does not fit an image of shape "
                f"{image.shape}: give Y,X,R for planes and Z,Y,X,R for volumes"
            )
        place = [round(c) for c in self.centre]
        if any(not 0 <= p < n for p, n in zip(place, image.shape, strict=True)):
            raise DataError(
                f"the region at {self.centre} lies outside the image of shape "
                f"{image.shape}"
            )
        plane = image[place[0]] if image.ndim == 3 else image
        y, x = np.ogrid[: plane.shape[0], : plane.shape[1]]
        cy, cx = place[-2:]
        return plane[(y - cy) ** 2 + (x - cx) ** 2 <= self.radius**2]


@dataclass(frozen=True)
class Picked:
    """A threshold and what it was made of, in the units of the image.

    Parameters
    ----------
    threshold : float
        Mean of the two means (Li et al. 2021, Methods).
    background, foreground : float
        Mean intensities of the two.
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
        (y, x) or (z, y, x); of several channels their mean.
    background, foreground : sequence of Region
        At least one of each.

    Raises
    ------
    DataError
        If a region is missing or outside, or the two have the same mean.
    """
    if not background or not foreground:
        raise DataError("pick at least one region of background and one of foreground")
    pixels = np.asarray(image, dtype=np.float64)
    dark, light = (
        np.concatenate([region.values(pixels) for region in regions])
        for regions in (background, foreground)
    )
    low, high = float(dark.mean()), float(light.mean())
    if low == high:
        raise DataError(
            f"background and foreground have the same mean intensity, {low:g}: pick "
            f"regions that differ"
        )
    level = (low + high) / 2
    inverted = low > high
    wrong = np.concatenate([(dark > level) != inverted, (light < level) != inverted])
    return Picked(level, low, high, float(wrong.mean()), inverted)
