"""A soft threshold between background and content."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Threshold"]


@dataclass(frozen=True)
class Threshold:
    """A soft threshold, T(v) = sigmoid(slope (v - level)) (Li et al. 2021, eqs 3-4).

    Parameters
    ----------
    level : float
        In normalised intensities.
    slope : float
        In normalised intensities: twice the paper's, whose range [-1, 1] is twice as
        long as ours.
    bright_background : bool
        Whether content is darker than the background; T is then inverted.
    """

    level: float
    slope: float
    bright_background: bool = False

    def __call__(self, image: Tensor) -> Tensor:
        """Return the content map of (n, c, ...), from the mean over its channels."""
        sign = -1.0 if self.bright_background else 1.0
        mean = image.float().mean(dim=1, keepdim=True)
        return torch.sigmoid(sign * self.slope * (mean - self.level))
