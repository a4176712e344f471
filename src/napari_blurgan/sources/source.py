"""The interface between training and its data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from napari_blurgan.data.stack import Stack
from napari_blurgan.estimates.judge import Judge
from napari_blurgan.methods.parts import load
from napari_blurgan.optics.forward import ForwardModel
from napari_blurgan.preparation.notes import Note
from napari_blurgan.preparation.site import Site
from napari_blurgan.transport.draw import Draw

__all__ = ["Source", "open_source"]


class Source(ABC):
    """Draws patches, and keeps their estimates up to date.

    Attributes
    ----------
    measured : sequence of Stack
        The measured images as patches are drawn from them, or blocks of these:
        ``metadata["corner"]`` is where one lies in the image that it was cut out of,
        ``metadata["image"]`` that image's number.
    """

    measured: Sequence[Stack]

    @abstractmethod
    def draw(self) -> Draw:
        """Return a random patch of each domain."""

    @abstractmethod
    def crop(
        self,
        corner: Sequence[int],
        size: Sequence[int],
        number: int = 0,
        time: int = 0,
    ) -> Draw:
        """Return a region of one of the `measured`; a block has one time point."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next draw depends on."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any], forward: ForwardModel) -> None:
        """Restore a state from `state_dict`."""

    def renew_all(self, forward: ForwardModel) -> Iterator[float]:
        """Update everything; yields the share that is done."""
        yield 1.0

    def renew_next(self, forward: ForwardModel) -> None:  # noqa: B027
        """Update the next part in turn."""

    def judge(self, forward: ForwardModel) -> Judge | None:
        """Return the comparison of G with its estimate on data that are never drawn."""
        return None

    def findings(self, voxel_size: Sequence[float | None]) -> list[Note]:
        """Return notes about the data, before training."""
        return []


def open_source(site: Site) -> Source:
    """Return the source that the recipe of a site names."""
    settings = site.recipe.source
    source: Source = load(settings.home)(settings, site)
    return source
