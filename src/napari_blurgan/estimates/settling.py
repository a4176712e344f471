"""What a refining reconstructor leaves open is settled on the user's own photons."""

from __future__ import annotations

from dataclasses import replace

from napari_blurgan.estimates.background import best_background
from napari_blurgan.estimates.iterations import best_iterations
from napari_blurgan.estimates.misfit import misfit
from napari_blurgan.estimates.regions import regions_of
from napari_blurgan.preparation.site import Site

__all__ = ["bearable", "settled"]

UNIT_ITERATIONS, FALL = 200.0, 0.25
"""Of the most iterations that an image bears under a blur that does not explain it. On
simulations with an aperture a tenth too small or too large, at 120 and 1,000 photons
(misfit 2 to 100), the best numbers were 40 to 90; on a bright nucleus (4,400), 24."""

TRUSTED = 10.0
"""Misfit beyond which the background that predicts unseen photons best is none: it
makes up for the blur: 115 grey levels below the darkest places of the nucleus."""

LEAST = 8
"""Iterations that any image bears."""


def settled(site: Site, resumed: bool = False) -> Site:
    """Return a site whose background, misfit and number of iterations are known.

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
    if resumed or site.x:
        return _with_iterations(site)
    levels = site.calibration
    shift = best_background(regions_of(site)[0], site.forward.blur, levels.noise)
    moved = _with_iterations(replace(site, calibration=levels.shifted(shift)))
    if not shift or moved.misfit < TRUSTED:
        return moved
    return _with_iterations(site)


def _with_iterations(site: Site) -> Site:
    blur, regions, noise = site.forward.blur, regions_of(site), site.calibration.noise
    found = best_iterations(regions, blur, noise)
    unexplained = misfit(regions[0], blur, noise, found)
    number = min(found, bearable(unexplained))
    recipe = site.recipe.updated({"reconstructor.iterations": number})
    return replace(site, recipe=recipe, misfit=unexplained)


def bearable(unexplained: float) -> int:
    """Return how many iterations an image bears for what the blur leaves unexplained.

    Unseen photons do not show it: they share whatever the blur gets wrong.

    Parameters
    ----------
    unexplained : float
        As `misfit` returns it.
    """
    number = UNIT_ITERATIONS / max(unexplained, 1.0) ** FALL
    return max(LEAST, round(number))
