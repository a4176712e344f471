"""An operator that dask workers can import; see test_cluster.py."""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn


class SlowOperator:
    """A small network that takes its time, so that a death can come between."""

    device = torch.device("cpu")
    halo, stride = (2, 2, 2), (2, 2, 2)

    def __init__(self, seconds: float = 0.0) -> None:
        torch.manual_seed(0)
        self.seconds = seconds
        self.net = nn.Sequential(
            nn.Conv3d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv3d(4, 1, 3, padding=1)
        ).eval()

    def channels_out(self, channels_in: int) -> int:
        return channels_in

    def __call__(self, image: Tensor, /) -> Tensor:
        time.sleep(self.seconds)
        slow: Tensor = self.net(image) * 100
        return slow
