"""From a recipe and its data to networks and a source, ready for training."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from torch import nn

from napari_blurgan.content.domain_thresholds import check_thresholds
from napari_blurgan.data.stack import Stack
from napari_blurgan.estimates.first_look import Look, first_look
from napari_blurgan.forward.physics import Physics, finding_physics
from napari_blurgan.heldout.misfit import NOTABLE_MISFIT
from napari_blurgan.heldout.settling import settled
from napari_blurgan.methods.parts import KERNEL
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.objective.term import build_terms
from napari_blurgan.preparation.calibration import Calibration
from napari_blurgan.preparation.domains import Domains, check_domains
from napari_blurgan.preparation.levels import calibrate
from napari_blurgan.preparation.notes import Note
from napari_blurgan.preparation.site import Known, Site
from napari_blurgan.sources.source import Source, open_source
from napari_blurgan.transport.assembly import Transport, assemble

__all__ = ["Prepared", "prepare", "preparing"]


@dataclass(frozen=True)
class Prepared:
    """Everything that a training loop uses.

    Parameters
    ----------
    site : Site
        The data, their levels, H; with the recipe that is trained: where the blur has
        to be held, not the one that was asked for.
    domains : Domains
        The images, and what was set aside of them.
    transport : Transport
        G and H.
    terms : nn.ModuleDict
        Of the loss.
    source : Source
        What training draws from.
    notes : list of Note
        What people should know before training.
    """

    site: Site
    domains: Domains
    transport: Transport
    terms: nn.ModuleDict
    source: Source
    notes: list[Note]


def prepare(
    recipe: Recipe,
    y: Sequence[Stack],
    x: Sequence[Stack],
    known: Known | None = None,
    calibration: Calibration | None = None,
) -> Prepared:
    """Check the data against the recipe, measure them, and build the networks.

    Parameters
    ----------
    recipe : Recipe
        What is to be trained.
    y, x : sequence of Stack
        The measured and the sharp images.
    known : Known, optional
        What the user knows of the blur.
    calibration : Calibration, optional
        Measured before, when a training is resumed.

    Raises
    ------
    DataError, AxesError, RecipeError, OpticsError
        If the data do not fit the recipe.
    """
    stages = preparing(recipe, y, x, known, calibration)
    return next(found for found in stages if isinstance(found, Prepared))


def preparing(
    recipe: Recipe,
    y: Sequence[Stack],
    x: Sequence[Stack],
    known: Known | None = None,
    calibration: Calibration | None = None,
    middle: Sequence[float] | None = None,
    time: int = 0,
) -> Iterator[str | Look | Prepared]:
    """Prepare in stages, like `prepare`.

    Parameters
    ----------
    recipe, y, x, known, calibration
        As of `prepare`.
    middle : sequence of float, optional
        Of the field of which an estimate is shown, in voxels of the first image.
    time : int
        Time point of that field.

    Yields
    ------
    str or Look or Prepared
        What is done next, in words; the estimate of a field, as soon as it can be
        made; at last, the result.
    """
    yield "checking the images"
    domains = check_domains(recipe, y, x)
    yield "measuring background and noise"
    levels = calibration or calibrate(recipe, domains.y, domains.x)
    bare = Site(
        recipe, domains.y, domains.x, domains.voxel_size, levels, known or Known()
    )
    yield "finding the blur"
    physics = yield from _physics(bare, middle, time)
    thresholds = check_thresholds(physics.recipe, domains.y, domains.x)
    levels = replace(levels, thickness=physics.thickness)
    placed = replace(bare, calibration=levels).with_forward(
        physics.recipe, physics.model
    )
    yield "finding the number of iterations"
    site = settled(placed, resumed=calibration is not None)
    yield "building the networks"
    yield Prepared(
        site=site,
        domains=domains,
        transport=assemble(site),
        terms=build_terms(site),
        source=open_source(site),
        notes=[*physics.notes, *domains.notes, *thresholds, *_found(site)],
    )


def _physics(
    site: Site, middle: Sequence[float] | None, time: int
) -> Generator[Look, None, Physics]:
    """Find the forward model, and yield a look through the first that is known."""
    look: Look | None = None
    for found in finding_physics(site):
        model = found.model if isinstance(found, Physics) else found
        if look is None:
            look = first_look(site.with_forward(site.recipe, model), middle, time)
            if look is not None:
                yield look
    assert isinstance(found, Physics)
    return found


def _found(site: Site) -> list[Note]:
    """Return notes on a blur that was changed, explains little or takes no part."""
    width, misfit = site.calibration.width, site.misfit
    notes = [Note.other_width(width)] if width != 1 else []
    known = site.known.psf is not None or site.known.optics is not None
    if known and KERNEL not in site.recipe.offers:
        notes.append(Note.without_blur(site.recipe.name))
    return notes + ([Note.unexplained(misfit)] if misfit > NOTABLE_MISFIT else [])
