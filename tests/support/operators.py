"""Operators whose results are easily known, for the tests of restoring."""

import numpy as np
import torch
from torch import nn

from napari_blurgan.restoration.events import Finished
from napari_blurgan.restoration.predict import apply

CPU = torch.device("cpu")


class Smooth:
    """A network of two convolutions with batch norm at inference, and a reach of 2."""

    device = CPU

    def __init__(self, dims=3, channels=(1, 1), stride=2):
        torch.manual_seed(0)
        conv = nn.Conv3d if dims == 3 else nn.Conv2d
        norm = nn.BatchNorm3d if dims == 3 else nn.BatchNorm2d
        self.net = nn.Sequential(
            conv(channels[0], 4, 3, padding=1),
            norm(4),
            nn.ReLU(),
            conv(4, channels[1], 3, padding=1),
        ).eval()
        self.channels = channels
        self.halo = (2,) * dims
        self.stride = (stride,) * dims

    def channels_out(self, channels_in):
        if channels_in != self.channels[0]:
            raise ValueError(f"takes {self.channels[0]} channels, found {channels_in}")
        return self.channels[1]

    def __call__(self, image):
        return self.net(image)


class Add(Smooth):
    """Adds a number: what comes out shows what went in."""

    def __init__(self, number=0.0, dims=3, channels=None):
        self.number = number
        self.halo = (0,) * dims
        self.stride = (1,) * dims
        self.channels = channels

    def channels_out(self, channels_in):
        if self.channels not in (None, channels_in):
            raise ValueError(f"takes {self.channels} channels, found {channels_in}")
        return channels_in

    def __call__(self, image):
        return image + self.number


def restored(*args, **options):
    events = list(apply(*args, **options))
    assert isinstance(events[-1], Finished)
    return events[-1].result


def ramp(*shape, dtype="float32"):
    return np.arange(np.prod(shape), dtype=np.int64).reshape(shape).astype(dtype)
