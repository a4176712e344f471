"""A discriminator of the distribution of intensities, regardless of position."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_blurgan.errors import RecipeError

__all__ = ["HistogramDiscriminator"]

WIDTH = 64


class HistogramDiscriminator(nn.Module):
    """One unbounded score per image, from the quantiles of its intensities.

    Quantiles contain the same information as a histogram, and have a gradient
    everywhere. After the histogram discriminators of UDCT (Ihle et al. 2019), which
    prevent a cycleGAN from changing how much of an image is content.

    Parameters
    ----------
    channels : int
        Of the image.
    quantiles : int
        Means over equal shares of a channel's sorted intensities that it sees.

    Raises
    ------
    RecipeError
        If there are no channels or no quantiles; from `forward`, if an image has fewer
        pixels than that.
    """

    def __init__(self, channels: int, quantiles: int = 64) -> None:
        super().__init__()
        if min(channels, quantiles) < 1:
            raise RecipeError(
                f"a histogram discriminator needs channels and quantiles >= 1, not "
                f"{channels} and {quantiles}"
            )
        self.quantiles = quantiles
        self.body = nn.Sequential(
            nn.Linear(channels * quantiles, WIDTH),
            nn.LeakyReLU(0.2),
            nn.Linear(WIDTH, WIDTH),
            nn.LeakyReLU(0.2),
            nn.Linear(WIDTH, 1),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Map (n, c, …) to (n, 1)."""
        pixels = image.flatten(2)
        if pixels.shape[2] < self.quantiles:
            raise RecipeError(
                f"{pixels.shape[2]} pixels are too few for {self.quantiles} quantiles"
            )
        shares = pixels.sort(dim=2).values.tensor_split(self.quantiles, dim=2)
        return self.body(torch.stack([s.mean(2) for s in shares], dim=2).flatten(1))
