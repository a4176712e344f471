"""Open settings of a refining reconstructor are determined from the user's photons."""

from __future__ import annotations

from dataclasses import replace

from napari_blurgan.heldout.background import best_background
from napari_blurgan.heldout.grain import best_grain
from napari_blurgan.heldout.iterations import MOST, best_iterations
from napari_blurgan.heldout.misfit import misfit
from napari_blurgan.heldout.regions import region_of, regions_of
from napari_blurgan.heldout.width import best_width, scaled
from napari_blurgan.preparation.site import Site

__all__ = ["bearable", "settled"]

UNIT_ITERATIONS, FALL = 200.0, 0.25
"""Largest number of iterations at a misfit of one, and the exponent of its decrease
with the misfit. In simulations with an aperture a tenth too small or too large, at 120
and 1,000 photons (misfit 2 to 100), the best numbers were 40 to 90; for a bright
nucleus (4,400), 24."""

TRUSTED, LEFT = 10.0, 0.25
"""Misfit above which the background that predicts held-out photons best may not be one,
but compensate for the blur, as it does 115 grey levels below the darkest places of the
nucleus. With a blur whose width was corrected it is accepted all the same, if it leaves
less than this share of the misfit without it."""

TINY = 1e-6
"""Keeps the gain of images without light finite."""

LEAST = 8
"""Iterations that are always allowed."""


def settled(site: Site, resumed: bool = False) -> Site:
    """Return a site with known blur, background, iterations and grain.

    The width of the blur is estimated if the recipe allows a tolerance; the number of
    iterations is estimated if it is left open, and then the background and the grain
    as well.

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
        return site if resumed else _with_width(site, site)
    return _with_estimate(site) if resumed else _with_all(site)


def _with_all(site: Site) -> Site:
    moved = _with_background(site)
    found = _with_estimate(moved)
    wide = _with_width(site, found)
    if wide is not site:
        moved = _with_background(wide)
        found = _with_estimate(moved)
    if moved.calibration.y == wide.calibration.y or found.misfit < TRUSTED:
        return found
    unmoved = _with_estimate(wide)
    mended = wide is not site
    return found if mended and found.misfit < LEFT * unmoved.misfit else unmoved


def _with_estimate(site: Site) -> Site:
    """Return the site with iterations and a grain.

    The grain comes last: for the iterations that a misfit allows, single voxels do.
    """
    return _with_grain(_with_iterations(site))


def _with_width(site: Site, seen: Site) -> Site:
    """Return the site with the most likely width of its blur, judged by the photons.

    `seen` is the site with the background, and the grain, for this comparison.
    """
    doubt = site.recipe.forward.doubt
    if not doubt:
        return site
    noise, grain = seen.calibration.noise, _grain_of(seen)
    width = best_width(region_of(seen), site.forward.blur, noise, doubt, grain)
    if width == 1:
        return site
    return _as_wide(replace(site, calibration=replace(site.calibration, width=width)))


def _as_wide(site: Site) -> Site:
    """Return a site whose blur has the width given by its calibration."""
    width = site.calibration.width
    if width == 1:
        return site
    return replace(site, forward=scaled(site.forward.blur, width))


def _with_background(site: Site) -> Site:
    levels, region = site.calibration, region_of(site)
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
    blur, regions, noise = site.forward.blur, regions_of(site), site.calibration.noise
    found = best_iterations(regions, blur, noise)
    unexplained = misfit(regions[0], blur, noise, found)
    number = min(found, bearable(unexplained))
    recipe = site.recipe.updated({"reconstructor.iterations": number})
    return replace(site, recipe=recipe, misfit=unexplained)


def _with_grain(site: Site) -> Site:
    """Return the site with a grain, and as many iterations as suit it."""
    grain = _grain_of(site)
    changes: dict[str, float] = {"reconstructor.grain": grain}
    if grain:
        blur, noise = site.forward.blur, site.calibration.noise
        found = best_iterations(regions_of(site), blur, noise, grain)
        changes["reconstructor.iterations"] = min(found, bearable(site.misfit))
    return replace(site, recipe=site.recipe.updated(changes))


def _grain_of(site: Site) -> float:
    """Return the grain that is given, or else the best.

    Grains need more iterations than single voxels. Where the blur does not explain the
    image, few are allowed; where there is so much light that single voxels need as many
    as there may be, they do without grains.
    """
    refining = site.recipe.reconstructor
    if refining.grain_settled:
        return refining.estimate_grain
    if bearable(site.misfit) < MOST or refining.estimate_iterations >= MOST:
        return 0.0
    return best_grain(region_of(site), site.forward.blur, site.calibration.noise)


def bearable(unexplained: float) -> int:
    """Return the number of iterations allowed by the misfit of the blur.

    Held-out photons do not reveal it, because they share the errors of the blur.

    Parameters
    ----------
    unexplained : float
        As `misfit` returns it.
    """
    number = UNIT_ITERATIONS / max(unexplained, 1.0) ** FALL
    return max(LEAST, round(number))
