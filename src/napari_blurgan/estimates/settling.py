"""What a refining reconstructor leaves open is settled on the user's own photons."""

from __future__ import annotations

from dataclasses import replace

from napari_blurgan.estimates.background import best_background
from napari_blurgan.estimates.iterations import best_iterations
from napari_blurgan.estimates.misfit import misfit
from napari_blurgan.estimates.regions import regions_of
from napari_blurgan.estimates.width import best_width, scaled
from napari_blurgan.preparation.site import Site

__all__ = ["bearable", "settled"]

UNIT_ITERATIONS, FALL = 200.0, 0.25
"""Of the most iterations that an image bears under a blur that does not explain it. On
simulations with an aperture a tenth too small or too large, at 120 and 1,000 photons
(misfit 2 to 100), the best numbers were 40 to 90; on a bright nucleus (4,400), 24."""

TRUSTED, LEFT = 10.0, 0.25
"""Misfit beyond which the background that predicts unseen photons best may be none, but
makes up for the blur, as it does 115 grey levels below the darkest places of the
nucleus; under a blur whose width was mended it is trusted all the same, where it leaves
less than such a share of what is not explained without it."""

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
    site = _as_wide(site)
    if site.recipe.reconstructor.settled:
        return site
    if resumed or site.x:
        return _with_iterations(site)
    wide, moved = _wide_and_moved(site)
    found = _with_iterations(moved)
    if moved.calibration.y == wide.calibration.y or found.misfit < TRUSTED:
        return found
    unmoved = _with_iterations(wide)
    mended = wide.calibration.width != 1
    return found if mended and found.misfit < LEFT * unmoved.misfit else unmoved


def _wide_and_moved(site: Site) -> tuple[Site, Site]:
    """Return the site with the likeliest width, and with the background besides."""
    moved = _with_background(site)
    doubt = site.recipe.forward.doubt
    if not doubt:
        return site, moved
    region, levels = regions_of(moved)[0], moved.calibration
    width = best_width(region, site.forward.blur, levels.noise, doubt)
    if width == 1:
        return site, moved
    calibration = replace(site.calibration, width=width)
    wide = _as_wide(replace(site, calibration=calibration))
    return wide, _with_background(wide)


def _as_wide(site: Site) -> Site:
    """Return a site whose blur is as wide as its calibration says."""
    width = site.calibration.width
    if width == 1:
        return site
    return replace(site, forward=scaled(site.forward.blur, width))


def _with_background(site: Site) -> Site:
    levels = site.calibration
    shift = best_background(regions_of(site)[0], site.forward.blur, levels.noise)
    return replace(site, calibration=levels.shifted(shift))


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
