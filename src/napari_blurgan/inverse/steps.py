"""`Steps`: an iterative method, as a prediction and its correction."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from napari_blurgan.inverse.observation import Observation

__all__ = ["Steps"]


class Steps(Protocol):
    """An iterative method on one observation."""

    observation: Observation

    @property
    def estimate(self) -> Tensor:
        """The current object, over the domain of the blur."""

    def predict(self) -> Tensor:
        """Return the expected image, Hx + b, from which the update starts."""

    def correct(self, expected: Tensor) -> None:
        """Update the estimate; `expected` may be overwritten."""
