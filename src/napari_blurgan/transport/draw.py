"""`Draw`: the data of one training step, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

__all__ = ["Draw", "named"]


@dataclass(frozen=True)
class Draw:
    """One patch of each domain, or a batch of them.

    Tensors are (c, [z,] y, x), in a batch (n, c, [z,] y, x), in normalised intensities.
    They may extend beyond the patch by the margin of the blur. A source draws what it
    has; a recipe is checked so that everything its terms need is present.

    Parameters
    ----------
    y : Tensor
        Measured.
    x : Tensor, optional
        Sharp, or an estimate that is taken for it; of the same field as y only where
        the source has pairs.
    estimate : Tensor, optional
        What a reconstructor refines into G(y).
    simulated, simulated_estimate : Tensor, optional
        A measurement of x, noise included, and the estimate from that.
    residual : Tensor, optional
        Another measurement of the field of y, less what is expected of it under the
        estimate.
    hidden : Tensor, optional
        Another part of the measurement of the field of y, which G does not see.
    """

    y: Tensor
    x: Tensor | None = None
    estimate: Tensor | None = None
    simulated: Tensor | None = None
    simulated_estimate: Tensor | None = None
    residual: Tensor | None = None
    hidden: Tensor | None = None

    @classmethod
    def batch(cls, draws: Sequence[Draw], device: torch.device) -> Draw:
        """Stack draws of the same source, on a device."""
        names = [f.name for f in fields(cls) if getattr(draws[0], f.name) is not None]
        stacked = {
            name: torch.stack([getattr(draw, name) for draw in draws]).to(device)
            for name in names
        }
        return cls(**stacked)


def named(patch: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
    """Return the channels of a patch, (c, ...), under their names in `Draw`.

    Channels with the same name are stacked; channels with other names are left out.
    """
    known = {field.name for field in fields(Draw)}
    places: dict[str, list[int]] = {}
    for channel, name in enumerate(names):
        places.setdefault(name, []).append(channel)
    return {name: patch[at] for name, at in places.items() if name in known}
