"""`Steps`: what an iterative method is, a prediction and its correction."""

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
        """The object so far, over the domain of the blur."""

    def predict(self) -> Tensor:
        """Return the image to be expected, Hx + b, from where the update starts."""

    def correct(self, expected: Tensor) -> None:
        """Update the estimate; `expected` may be overwritten."""
