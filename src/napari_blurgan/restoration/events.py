"""Events of a restoration: the only thing that leaves it while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # it needs torch, and whoever listens does not
    from napari_blurgan.tiling.plan import TilingPlan

__all__ = ["Event", "Finished", "Noted", "Planned", "Shrunk", "TileDone"]


@dataclass(frozen=True)
class Noted:
    """A note about the image."""

    message: str


@dataclass(frozen=True)
class Planned:
    """The plan, before any work."""

    plan: TilingPlan


@dataclass(frozen=True)
class TileDone:
    """Another tile was written.

    Attributes
    ----------
    done, total : int
        Tiles, those of an earlier run included.
    seconds_left : float
        Expected time until the end.
    """

    done: int
    total: int
    seconds_left: float


@dataclass(frozen=True)
class Shrunk:
    """The device ran out of memory; tiles are divided into pieces from now on.

    Attributes
    ----------
    core : tuple of int
        Size of the pieces.
    """

    core: tuple[int, ...]


@dataclass(frozen=True)
class Finished:
    """The result is complete.

    Attributes
    ----------
    result : Stack
        What was written; lazy where it is in a file.
    below, above : int
        Voxels that were clipped to the range of an integer result.
    """

    result: Any
    below: int
    above: int


Event = Noted | Planned | TileDone | Shrunk | Finished
