"""A stack and the same stack on its side: what is z there is sharp.

A volume that is blurred along z more than in its planes is, seen from the side, a
volume that is sharp along its new z. No other sharp images are needed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from napari_blurgan.data.sections import seen_from
from napari_blurgan.methods.parts import SHARP, Need
from napari_blurgan.methods.sources import SourceSettings
from napari_blurgan.preparation.site import Site
from napari_blurgan.sources.unpaired import TwoDomains, two_domains

__all__ = ["TurnedSource", "open_turned"]

SIDES = ("xz", "yz")


class TurnedSource(SourceSettings):
    """Measured volumes; seen from the side, they stand for sharp ones."""

    kind: Literal["turned"] = "turned"
    home: ClassVar[str] = "napari_blurgan.sources.turned:open_turned"
    domains: ClassVar[int] = 1
    most_domains: ClassVar[int] = 1
    apart: ClassVar[bool] = False

    @property
    def offers(self) -> frozenset[Need]:
        """Images that are sharp along z."""
        return frozenset({SHARP})


def open_turned(settings: TurnedSource, site: Site) -> TwoDomains:
    """Return a source that draws y from volumes, and x from their sides."""
    sides = [seen_from(stack, side) for stack in site.y for side in SIDES]
    return two_domains(replace(site, x=sides), paired=False)
