"""Which data a recipe trains on: the kinds of sources and what each offers."""

from __future__ import annotations

from typing import ClassVar, Literal

from napari_blurgan.methods.parts import PAIRS, SHARP, Kinds, Need, Part

__all__ = ["SOURCES", "PairedSource", "SourceSettings", "UnpairedSource"]

HERE = "napari_blurgan.sources"


class SourceSettings(Part):
    """The data from which patches are drawn.

    Attributes
    ----------
    home : str
        ``"package.module:function"`` that opens it, from these settings and a `Site`.
    domains, most_domains : int
        Sets of images that it needs, and can do with: 2 where there are sharp images
        beside the measured ones.
    apart : bool
        Whether an image may be in one of the two domains only.
    light : float
        Share of the photons of an image that are in the y of a draw, whose noise is
        stronger in proportion.
    """

    home: ClassVar[str]
    domains: ClassVar[int] = 2
    most_domains: ClassVar[int] = 2
    apart: ClassVar[bool] = True
    light: ClassVar[float] = 1.0


class UnpairedSource(SourceSettings):
    """Measured and sharp images of different fields, drawn independently."""

    kind: Literal["unpaired"] = "unpaired"
    home: ClassVar[str] = f"{HERE}.unpaired:open_unpaired"

    @property
    def offers(self) -> frozenset[Need]:
        """Sharp images."""
        return frozenset({SHARP})


class PairedSource(SourceSettings):
    """The i-th measured and the i-th sharp image show the same field."""

    kind: Literal["paired"] = "paired"
    home: ClassVar[str] = f"{HERE}.unpaired:open_paired"
    apart: ClassVar[bool] = False

    @property
    def offers(self) -> frozenset[Need]:
        """Sharp images, in pairs."""
        return frozenset({SHARP, PAIRS})


SOURCES: Kinds[SourceSettings] = Kinds(
    "source",
    {
        "unpaired": "napari_blurgan.methods.sources:UnpairedSource",
        "paired": "napari_blurgan.methods.sources:PairedSource",
        "repeated": f"{HERE}.repeated:RepeatedSource",
        "split": f"{HERE}.split:SplitSource",
        "single": f"{HERE}.single:SingleSource",
        "turned": f"{HERE}.turned:TurnedSource",
        "lines": f"{HERE}.lines:LinesSource",
    },
)
