"""`Draw`: what one training step sees of the data, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

__all__ = ["Draw"]


@dataclass(frozen=True)
class Draw:
    """One patch of each domain, or a batch of them.

    Tensors are (c, [z,] y, x), in a batch (n, c, [z,] y, x), in normalised intensities.
    They may reach beyond the patch by what the blur consumes. A source draws what it
    has; a recipe is checked so that what its terms use is there.

    Parameters
    ----------
    y : Tensor
        Measured.
    x : Tensor, optional
        Sharp; of the same field only where the source has pairs.
    estimate : Tensor, optional
        What a reconstructor refines into G(y).
    simulated, simulated_estimate : Tensor, optional
        A measurement of x, noise included, and the estimate from that.
    """

    y: Tensor
    x: Tensor | None = None
    estimate: Tensor | None = None
    simulated: Tensor | None = None
    simulated_estimate: Tensor | None = None

    @classmethod
    def batch(cls, draws: Sequence[Draw], device: torch.device) -> Draw:
        """Stack draws of the same source, on a device."""
        names = [f.name for f in fields(cls) if getattr(draws[0], f.name) is not None]
        stacked = {
            name: torch.stack([getattr(draw, name) for draw in draws]).to(device)
            for name in names
        }
        return cls(**stacked)
