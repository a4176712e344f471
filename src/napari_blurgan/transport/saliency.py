"""The saliency constraint of UTOM: what is content stays content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from napari_blurgan.transport.transported import present

if TYPE_CHECKING:
    from napari_blurgan.transport.transported import Transported

__all__ = ["Threshold", "saliency_loss"]


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


def saliency_loss(t: Transported) -> Tensor:
    """|T_a(y) - T_b(G(y))| + |T_b(x) - T_a(Hx)| (Li et al. 2021, eq. 2).

    Each image is taken under the threshold of its own domain, as the paper states it
    (its released code swaps the two for generated images).
    """
    alpha, beta = present(t.transport.thresholds)
    there = alpha(t.y) - beta(t.x_hat)
    back = beta(t.x) - alpha(t.y_hat)
    return there.abs().mean() + back.abs().mean()
