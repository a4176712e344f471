"""The measured lines of k-space in two parts: one is seen by G, the other predicted.

Self-supervision by undersampling, SSDU (Yaman et al. 2020; Akçakaya et al. 2022, eqs
16-18): Omega = Theta + Lambda, divided anew in every draw.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from napari_blurgan.data.kspace import Lines, measured_lines, through_lines
from napari_blurgan.methods.parts import HIDDEN, Need
from napari_blurgan.methods.sources import SourceSettings
from napari_blurgan.preparation.site import Site
from napari_blurgan.sources.one_domain import OneDomain
from napari_blurgan.transport.draw import Draw

__all__ = ["LinesSource", "divided", "open_lines"]


class LinesSource(SourceSettings):
    """Undersampled images only; part of their lines of k-space is hidden from G."""

    kind: Literal["lines"] = "lines"
    home: ClassVar[str] = "napari_blurgan.sources.lines:open_lines"
    cites: ClassVar[tuple[str, ...]] = ("yaman2020", "akcakaya2022")
    domains: ClassVar[int] = 1
    most_domains: ClassVar[int] = 1
    apart: ClassVar[bool] = False

    hidden: Annotated[float, Field(ge=0, lt=1)] = 0.4
    """Share of the measured lines that is hidden. With 0 nothing is, and G is asked for
    what it sees: the control that learns nothing."""
    lines: Lines = "y"
    """Axis across the lines."""
    middle: Annotated[int, Field(ge=0, le=1024)] = 3
    """Lines in the middle of k-space that G always sees."""

    @property
    def offers(self) -> frozenset[Need]:
        """Lines that are hidden from G."""
        return frozenset({HIDDEN})


class DividedLines(OneDomain):
    """Draws an image from some of its lines, and one from the others.

    Parameters
    ----------
    site : Site
        The data.
    settings : LinesSource
        How many lines are hidden.
    """

    def __init__(self, site: Site, settings: LinesSource) -> None:
        super().__init__(site)
        self.settings = settings

    def draw(self) -> Draw:
        """Return the two parts of a random image."""
        seed = int(self.sampler.rng.integers(2**31))
        generator = torch.Generator().manual_seed(seed)
        seen, hidden = divided(self.sampler.draw(), self.settings, generator)
        return Draw(y=seen, hidden=hidden)


def divided(
    y: Tensor, settings: LinesSource, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return an image from the lines that G sees, and one from those it is asked for.

    Parameters
    ----------
    y : Tensor, (2, y, x)
        Undersampled.
    settings : LinesSource
        How many lines are hidden; if none are, both images are `y`.
    generator : torch.Generator
        Of the random choice.
    """
    if not settings.hidden:
        return y, y
    lines = measured_lines(y[None], settings.lines)
    kept = lines.flatten().clone()
    kept[: (settings.middle + 1) // 2] = False
    kept[len(kept) - settings.middle // 2 :] = False
    free = torch.nonzero(kept)[:, 0]
    count = min(len(free), max(1, round(settings.hidden * int(lines.sum()))))
    chosen = free[torch.randperm(len(free), generator=generator)[:count]]
    hidden = torch.zeros_like(kept)
    hidden[chosen] = True
    part = through_lines(y[None], hidden.reshape(lines.shape), settings.lines)[0]
    return y - part, part


def open_lines(settings: LinesSource, site: Site) -> DividedLines:
    """Return the source on a data set."""
    return DividedLines(site, settings)
