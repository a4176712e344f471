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

TINY = 1e-6
"""Keeps the gain of images without light finite."""

LEAST = 8
"""Iterations that any image bears."""


def settled(site: Site, resumed: bool = False) -> Site:
    """Return a site of whose blur, background and iterations all is known.

    The width of the blur is looked for where the recipe doubts it; the number of
    iterations where it is left open, and then the background, too.

    Parameters
    ----------
    site : Site
        With the blur.
    resumed : bool
        Whether the calibration is that of a training which goes on: its background has
        been settled before.
    """
    site = _as_wide(site)
    if resumed or site.recipe.reconstructor.settled:
        return _with_iterations(site if resumed else _with_width(site, site))
    moved = _with_background(site)
    wide = _with_width(site, moved)
    if wide is not site:
        moved = _with_background(wide)
    found = _with_iterations(moved)
    if moved.calibration.y == wide.calibration.y or found.misfit < TRUSTED:
        return found
    unmoved = _with_iterations(wide)
    mended = wide is not site
    return found if mended and found.misfit < LEFT * unmoved.misfit else unmoved


def _with_width(site: Site, seen: Site) -> Site:
    """Return the site with the likeliest width of its blur, as the photons show it.

    `seen` is the site with the background that they are to be looked at with.
    """
    doubt = site.recipe.forward.doubt
    if not doubt:
        return site
    noise = seen.calibration.noise
    width = best_width(regions_of(seen)[0], site.forward.blur, noise, doubt)
    if width == 1:
        return site
    return _as_wide(replace(site, calibration=replace(site.calibration, width=width)))


def _as_wide(site: Site) -> Site:
    """Return a site whose blur is as wide as its calibration says."""
    width = site.calibration.width
    if width == 1:
        return site
    return replace(site, forward=scaled(site.forward.blur, width))


def _with_background(site: Site) -> Site:
    levels, region = site.calibration, regions_of(site)[0]
    shift = best_background(region, site.forward.blur, levels.noise)
    if not site.x:
        return replace(site, calibration=levels.shifted(shift))
    # With sharp images the gain is the ratio of what is bright in either set.
    mean = max(float(region.mean()), TINY)
    moved = levels.shifted(shift, max(mean + shift, TINY) / mean)
    return replace(
        site, calibration=moved, forward=site.forward.blur.with_gain(moved.gain)
    )


def _with_iterations(site: Site) -> Site:
    if site.recipe.reconstructor.settled:
        return site
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
