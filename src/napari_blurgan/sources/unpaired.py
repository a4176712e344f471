"""Measured and sharp images, drawn independently or in pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from napari_blurgan.data.normalize import Normalization
from napari_blurgan.data.regions import read_region
from napari_blurgan.data.stack import Stack
from napari_blurgan.estimates.blocks import Blocks, Measured, Simulated
from napari_blurgan.estimates.estimator import estimator_of
from napari_blurgan.methods.sources import PairedSource, UnpairedSource
from napari_blurgan.optics.forward import ForwardModel
from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.preparation.likeness import check_likeness
from napari_blurgan.preparation.notes import Note
from napari_blurgan.preparation.site import Site
from napari_blurgan.sampling.patches import PatchSampler, sampler_of
from napari_blurgan.sources.drawn import UNIT
from napari_blurgan.sources.source import Source
from napari_blurgan.transport.draw import Draw, named

__all__ = ["TwoDomains", "open_paired", "open_unpaired", "two_domains"]

Samplers = tuple[PatchSampler, PatchSampler]


class TwoDomains(Source):
    """Patches of y and of x.

    Parameters
    ----------
    samplers : pair of PatchSampler
        Of y and of x.
    paired : bool
        Whether x is read where y was.
    blocks : pair of Blocks, optional
        What the samplers draw from, where a reconstructor refines estimates: the
        channels of a patch are then those that the blocks name.
    """

    def __init__(
        self,
        samplers: Samplers,
        paired: bool = False,
        blocks: tuple[Blocks, Blocks] | None = None,
    ) -> None:
        self.samplers = samplers
        self.paired = paired
        self.blocks = blocks or ()

    @property
    def measured(self) -> Sequence[Stack]:  # type: ignore[override]
        """The measured images, or their blocks."""
        return self.samplers[0].stacks

    def draw(self) -> Draw:
        """Return a random patch of each domain."""
        blurred, sharp = self.samplers
        place, y = blurred.draw_with_place()
        x = sharp.read(place) if self.paired else sharp.draw()
        if not self.blocks:
            return Draw(y=y, x=x)
        of_y, of_x = (blocks.enrich.names for blocks in self.blocks)
        return Draw(**named(y, of_y), **named(x, of_x))

    def crop(
        self,
        corner: Sequence[int],
        size: Sequence[int],
        number: int = 0,
        time: int = 0,
    ) -> Draw:
        """Return a region of a measured image, or of a block."""
        stack, levels = self.measured[number], self.samplers[0].normalization
        region = read_region(stack, time, corner, size, range(stack.channels))
        image = torch.from_numpy(levels.apply(region))
        if image.ndim > 1 + len(self.samplers[0].patch):
            image = image[:, 0]
        if not self.blocks:
            return Draw(y=image)
        return Draw(**named(image, self.blocks[0].enrich.names))

    def renew_all(self, forward: ForwardModel) -> Iterator[float]:
        """Compute every estimate with the current kernel; yields the share done."""
        total = sum(len(blocks.stacks) for blocks in self.blocks)
        done = 0
        for blocks in self.blocks:
            for _ in blocks.stacks:
                blocks.renew_next(forward.blur)
                done += 1
                yield done / total
        self._hand_on()
        yield 1.0

    def renew_next(self, forward: ForwardModel) -> None:
        """Update one block of each domain, large ones not every time."""
        for blocks in self.blocks:
            blocks.renew_in_time(forward.blur)
        self._hand_on()

    def _hand_on(self) -> None:
        for sampler, blocks in zip(self.samplers, self.blocks, strict=False):
            sampler.stacks = tuple(blocks.stacks)

    def findings(self, voxel_size: Sequence[float | None]) -> list[Note]:
        """Return a note if the sets show different kinds of structure."""
        if not self.blocks:
            return []
        measured, simulated = self.blocks
        ours, theirs = measured.images("y"), simulated.images("simulated")
        return check_likeness(ours, theirs, voxel_size)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the random numbers and of the estimates."""
        return {
            "samplers": [sampler.state() for sampler in self.samplers],
            "fields": [blocks.state_dict() for blocks in self.blocks],
        }

    def load_state_dict(self, state: dict[str, Any], forward: ForwardModel) -> None:
        """Restore a state from `state_dict`."""
        for sampler, kept in zip(self.samplers, state["samplers"], strict=True):
            sampler.set_state(kept)
        for blocks, kept in zip(self.blocks, state["fields"], strict=True):
            blocks.load_state_dict(kept, forward.blur)
        self._hand_on()


def open_unpaired(settings: UnpairedSource, site: Site) -> TwoDomains:
    """Return a source that draws from each domain independently."""
    return two_domains(site, paired=False)


def open_paired(settings: PairedSource, site: Site) -> TwoDomains:
    """Return a source that draws the same region from both domains."""
    return two_domains(site, paired=True)


def two_domains(site: Site, paired: bool) -> TwoDomains:
    """Return a source on the two domains of a site."""
    blocks = _blocks(site)
    if blocks is None:
        levels = (site.calibration.y, site.calibration.x)
        return TwoDomains(_samplers(site, (site.y, site.x), levels), paired)
    stacks = (blocks[0].stacks, blocks[1].stacks)
    return TwoDomains(_samplers(site, stacks, (UNIT, UNIT)), paired, blocks)


def _blocks(site: Site) -> tuple[Blocks, Blocks] | None:
    """Return the domains with their estimates, if G refines any."""
    recipe, calibration = site.recipe, site.calibration
    estimator = estimator_of(recipe.reconstructor, calibration)
    if estimator is None:
        return None
    noise = calibration.noise if recipe.forward.noise else NoiseModel(0.0, 0.0)
    simulated = Simulated(estimator, noise, recipe.forward.widest)
    return (
        Blocks(site.y, calibration.y, recipe.dims, Measured(estimator)),
        Blocks(site.x, calibration.x, recipe.dims, simulated),
    )


def _samplers(
    site: Site,
    domains: tuple[Sequence[Stack], Sequence[Stack]],
    levels: tuple[Normalization, Normalization],
) -> Samplers:
    recipe, geometry = site.recipe, site.geometry
    refines = estimator_of(recipe.reconstructor, site.calibration) is not None
    # If x is blurred patch by patch, it must extend beyond the patch; if G(y) is
    # blurred together with its estimate, so must y.
    blurs_x = not refines or any(t.blurs_x for t in recipe.active_terms.values())
    shapes = (
        geometry.wide if refines else geometry.patch,
        geometry.wide if blurs_x else geometry.patch,
    )
    rng_y, rng_x = np.random.default_rng(recipe.seed).spawn(2)
    make = partial(
        sampler_of(recipe.sampling.whole),
        foreground=recipe.sampling.foreground,
        reflect=True,
        augmentation=site.augmentation,
    )
    return (
        make(domains[0], shapes[0], normalization=levels[0], rng=rng_y),
        make(domains[1], shapes[1], normalization=levels[1], rng=rng_x),
    )
