"""A part of the measurement that is hidden from G, predicted through H."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from napari_blurgan.methods.parts import HIDDEN, WAY_BACK, Need
from napari_blurgan.methods.terms import TermSettings
from napari_blurgan.objective.term import Term
from napari_blurgan.transport.transported import Transported

__all__ = ["Predicted", "PredictedTerm"]


class PredictedTerm(TermSettings):
    """|y2 - H2 G(y1)|; y1 and y2 are two parts of each measurement, y = y1 + y2."""

    home: ClassVar[str] = "napari_blurgan.objective.predicted:Predicted"
    needs: ClassVar[frozenset[Need]] = frozenset({HIDDEN, WAY_BACK})


class Predicted(Term):
    """The distance between what is hidden and what G expects there."""

    def forward(self, images: Transported) -> Tensor:
        """Return it."""
        hidden = images.drawn.hidden
        assert hidden is not None, "a recipe is checked against its source"
        hidden = images.centre(hidden)
        expected = images.transport.matching(hidden)(images.x_hat)
        return images.distance(hidden, expected)
