"""An operator that dask workers can import; see test_cluster.py."""

import time

import torch
from torch import nn


class SlowOperator:
    """A small network that takes its time, so that a death can come between."""

    device = torch.device("cpu")
    halo, stride = (2, 2, 2), (2, 2, 2)

    def __init__(self, seconds=0.0):
        torch.manual_seed(0)
        self.seconds = seconds
        self.net = nn.Sequential(
            nn.Conv3d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv3d(4, 1, 3, padding=1)
        ).eval()

    def channels_out(self, channels_in):
        return channels_in

    def __call__(self, image):
        time.sleep(self.seconds)
        return self.net(image) * 100
