"""The photons of each image in two halves: one is restored, the other predicted."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import RecipeError
from napari_blurgan.estimates.blocks import Blocks, Simulated
from napari_blurgan.estimates.estimator import Estimator, estimator_of
from napari_blurgan.estimates.judge import Judge
from napari_blurgan.heldout.regions import REGION, middle_of
from napari_blurgan.methods.parts import ESTIMATE, RESAMPLED, UNSEEN, Need
from napari_blurgan.methods.sources import SourceSettings
from napari_blurgan.optics.forward import BlurKernel, ForwardModel
from napari_blurgan.preparation.calibration import NoiseModel
from napari_blurgan.preparation.photons import split_photons
from napari_blurgan.preparation.site import Site
from napari_blurgan.sources.drawn import Drawn
from napari_blurgan.sources.resampled import Resampled
from napari_blurgan.sources.source import Source
from napari_blurgan.transport.draw import Draw, named

__all__ = ["Split", "SplitSource", "open_split"]

KEPT = 0.9
"""Share of the photons used for training; the others are held out."""

JUDGED = 3
"""Number of blocks whose held-out photons are used for the comparison."""


class SplitSource(SourceSettings):
    """Single images; part of their photons is hidden from G."""

    kind: Literal["split"] = "split"
    home: ClassVar[str] = "napari_blurgan.sources.split:open_split"
    # The halves of the photons play the part of Noise2Noise's exposures.
    cites: ClassVar[tuple[str, ...]] = ("lehtinen2018",)
    domains: ClassVar[int] = 1
    most_domains: ClassVar[int] = 1
    apart: ClassVar[bool] = False
    light: ClassVar[float] = 0.5 * KEPT

    resampled: bool = False
    """Also draw estimates, taken for known objects, with simulated measurements."""

    @property
    def needs(self) -> frozenset[Need]:
        """An estimate, from which the hidden photons are predicted."""
        return frozenset({ESTIMATE})

    @property
    def offers(self) -> frozenset[Need]:
        """Photons that are hidden from G, and simulated measurements if wanted."""
        return frozenset({UNSEEN, RESAMPLED} if self.resampled else {UNSEEN})


@dataclass(frozen=True)
class Halves:
    """Half of the photons with their estimates, and the residual of the other half.

    Parameters
    ----------
    estimator, noise
        Computes the estimates; noise of y.
    """

    estimator: Estimator
    noise: NoiseModel
    random: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """All photons (not part of a draw), half of them, estimates, residual."""
        return ("all", "y", *("estimate",) * self.estimator.depths, "residual")

    def __call__(self, block: Tensor, blur: BlurKernel) -> Tensor:
        """Split the photons of a block again."""
        rng = np.random.default_rng(int(torch.randint(2**31, ())))
        seen, unseen = split_photons(block, self.noise, 0.5, rng)
        estimates, expected = self.estimator.fit(seen, blur)
        return torch.cat([block, seen, estimates, unseen - expected], 1)


class Split(Source):
    """Draws from blocks of the images, whose photons are split again now and then.

    Parameters
    ----------
    site : Site
        The data, and the blur.
    halves : Halves
        Splits the photons.
    simulated : Simulated, optional
        Measures estimates again.
    """

    def __init__(
        self, site: Site, halves: Halves, simulated: Simulated | None = None
    ) -> None:
        recipe = site.recipe
        self.halves = halves
        blocks = Blocks(site.y, site.calibration.y, recipe.dims, halves)
        self._unseen = [_set_aside(blocks, n, site) for n in range(len(blocks.stacks))]
        self.drawn = Drawn(blocks, site, np.random.default_rng(recipe.seed))
        self.parts = [self.drawn]
        if simulated:
            self.parts.append(Resampled(blocks.stacks, simulated, site))
        self._turn = 0

    def judge(self, forward: ForwardModel) -> Judge:
        """Return the comparison of G with Richardson-Lucy on the held-out photons."""
        blur, seen, unseen = forward.blur, [], []
        for stack, aside in list(zip(self.measured, self._unseen, strict=True))[
            :JUDGED
        ]:
            middle = (slice(None), *middle_of(aside.shape[1:], REGION))
            device = blur.gain.device
            whole = torch.from_numpy(np.asarray(stack.data)[:1])
            seen.append(whole[middle][None].contiguous().to(device))
            unseen.append(aside[middle][None].contiguous().to(device))
        return Judge(seen, unseen, self.halves.estimator, blur)

    @property
    def measured(self) -> Sequence[Stack]:  # type: ignore[override]
        """The blocks."""
        return self.drawn.stacks

    def draw(self) -> Draw:
        """Return a random patch, and one of an estimate if they are measured again."""
        patches = [part.draw() for part in self.parts]
        return Draw(**dict(ChainMap(*patches)))

    def crop(
        self,
        corner: Sequence[int],
        size: Sequence[int],
        number: int = 0,
        time: int = 0,
    ) -> Draw:
        """Return a region of a block."""
        index = tuple(slice(c, c + n) for c, n in zip(corner, size, strict=True))
        region = np.asarray(self.measured[number].data)[(slice(None), *index)]
        return Draw(**named(torch.from_numpy(region), self.halves.names))

    def renew_all(self, forward: ForwardModel) -> Iterator[float]:
        """Split all blocks, measure all estimates; yields the share that is done."""
        every = [part for part in self.parts for _ in part.stacks]
        for done, part in enumerate(every, start=1):
            part.renew_next(forward.blur)
            yield done / len(every)

    def renew_next(self, forward: ForwardModel) -> None:
        """Split the photons of the next block again, or measure the next estimate."""
        self.parts[self._turn].renew_in_time(forward.blur)
        self._turn = (self._turn + 1) % len(self.parts)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the random numbers and of the blocks."""
        first, *others = (part.state_dict() for part in self.parts)
        return first | {"resampled": others, "turn": self._turn}

    def load_state_dict(self, state: dict[str, Any], forward: ForwardModel) -> None:
        """Restore a state from `state_dict`."""
        states = [state, *state.get("resampled", [])]
        for part, kept in zip(self.parts, states, strict=True):
            part.load_state_dict(kept, forward.blur)
        self._turn = state.get("turn", 0)


def _set_aside(blocks: Blocks, number: int, site: Site) -> Tensor:
    """Remove part of the photons of a block permanently, and return them."""
    stack = blocks.stacks[number]
    data = np.array(stack.data)
    rng = np.random.default_rng([site.recipe.seed, number])
    whole = torch.from_numpy(data[:1])
    kept, unseen = split_photons(whole, site.calibration.noise, KEPT, rng)
    data[:1] = kept.numpy()
    blocks.stacks[number] = stack.with_data(data)
    return unseen


def open_split(settings: SplitSource, site: Site) -> Split:
    """Return the source on a data set.

    Raises
    ------
    RecipeError
        If the reconstructor refines no estimate.
    """
    estimator = estimator_of(site.recipe.reconstructor, site.calibration)
    if estimator is None:
        raise RecipeError("source 'split' needs a reconstructor that refines estimates")
    noise = site.calibration.noise
    simulated = Simulated(estimator, noise) if settings.resampled else None
    # The remaining photons are scaled to the full level, and so is their noise.
    return Split(site, Halves(estimator, noise.with_light(KEPT)), simulated)
