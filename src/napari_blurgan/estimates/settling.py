"""What a refining reconstructor leaves open is settled on the user's own photons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.estimates.background import best_background
from napari_blurgan.estimates.blocks import blocks_of
from napari_blurgan.estimates.iterations import (
    REGION,
    best_iterations,
    middle_of,
)
from napari_blurgan.preparation.site import Site

__all__ = ["settled"]

IMAGES = 2
"""Images that are looked at."""


def settled(site: Site, resumed: bool = False) -> Site:
    """Return a site whose background and number of iterations are known.

    Parameters
    ----------
    site : Site
        With the blur.
    resumed : bool
        Whether the calibration is that of a training which goes on: its background has
        been settled before.
    """
    if site.recipe.reconstructor.settled:
        return site
    if not resumed and not site.x:
        levels, blur = site.calibration, site.forward.blur
        shift = best_background(_regions(site)[0], blur, levels.noise)
        site = replace(site, calibration=levels.shifted(shift))
    found = best_iterations(_regions(site), site.forward.blur, site.calibration.noise)
    return replace(
        site, recipe=site.recipe.updated({"reconstructor.iterations": found})
    )


def _regions(site: Site) -> list[NDArray[np.float32]]:
    """Return the middles of some images, normalised."""
    blocks = blocks_of(site.y, site.recipe.dims, IMAGES)
    return [site.calibration.y.apply(_middle(block[0])) for _, _, block in blocks]


def _middle(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(image[middle_of(image.shape, REGION)])
