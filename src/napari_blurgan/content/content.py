"""How much of the content of a few images was preserved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Content"]

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Content:
    """How much of the content of some images a of domain A was preserved.

    Parameters
    ----------
    iou : float
        Of T_alpha(a) and T_beta(G(a)), each above a half, over all pixels; 1 where
        neither shows any content.
    lost, invented : float
        Pixels of content in a alone and in G(a) alone, over those in either.
    cycle : float
        Mean of |a - F(G(a))| in grey levels of A.
    held_out : bool
        Whether the images were set aside; else they were trained on.
    before, after : ndarray
        a in grey levels of A, G(a) in grey levels of B, (n, c, [z,] y, x).
    disagreement : ndarray
        T_beta(G(a)) - T_alpha(a), (n, [z,] y, x): 1 where content was invented, -1
        where it was lost.
    """

    iou: float
    lost: float
    invented: float
    cycle: float
    held_out: bool
    before: Image
    after: Image
    disagreement: Image

    def summary(self) -> dict[str, Any]:
        """Return the figures, for JSON."""
        names = ("iou", "lost", "invented", "cycle", "held_out")
        return {name: getattr(self, name) for name in names}

    def __str__(self) -> str:
        """Return it as a sentence."""
        where = "held-out images" if self.held_out else "training images"
        return (
            f"Content preserved: {max(self.iou, 0.0):.0%} (IoU; {self.lost:.0%} lost, "
            f"{self.invented:.0%} invented) in {where}; there and back "
            f"differs by {self.cycle:.3g} grey levels."
        )
