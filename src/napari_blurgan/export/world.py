"""The reflected margin of an image, as an index: like `Tiling`, in TorchScript."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_blurgan.tiling.plan import MARGIN
from napari_blurgan.tiling.tiling import aligned

__all__ = ["World", "margin_of"]


def margin_of(halo: int, stride: int, reflected: bool) -> int:
    """Return how far an axis is extended on either side, as in `make_plan`."""
    most = min(halo, MARGIN if reflected else 0)
    return min(aligned(most, stride), aligned(halo, stride))


class World(nn.Module):
    """Extends an image by reflection, to sizes that the network pools evenly.

    Along an axis without a margin the last voxel is repeated for that, as networks do.

    Parameters
    ----------
    margin : list of int
        Voxels before and behind, for each spatial axis.
    stride : list of int
        The sizes become multiples of it.
    """

    def __init__(self, margin: list[int], stride: list[int]) -> None:
        super().__init__()
        self.margin = margin
        self.stride = stride

    def forward(self, image: Tensor) -> Tensor:
        """Return (n, c, [z,] y, x) with its surroundings."""
        for axis in range(len(self.margin)):
            length = image.size(axis + 2)
            margin, stride = self.margin[axis], self.stride[axis]
            end = (length + stride - 1) // stride * stride + margin
            places = torch.arange(-margin, end, device=image.device)
            last = max(length - 1, 1)
            period = torch.full_like(places, 2 * last)
            index = last - (torch.remainder(places, period) - last).abs()
            if margin == 0:
                index = places
            image = image.index_select(axis + 2, index.clamp(max=length - 1))
        return image

    @torch.jit.export
    def crop(self, image: Tensor, like: Tensor) -> Tensor:
        """Return the part of `image` that corresponds to `like`."""
        for axis in range(len(self.margin)):
            image = image.narrow(axis + 2, self.margin[axis], like.size(axis + 2))
        return image
