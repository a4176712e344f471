"""Operators whose results are easily known, for the tests of restoring."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch import Tensor, nn

from napari_blurgan.restoration.events import Finished
from napari_blurgan.restoration.predict import apply

CPU = torch.device("cpu")


class Smooth:
    """A network of two convolutions with batch norm at inference, and a reach of 2."""

    device = CPU
    halo: tuple[int, ...]
    stride: tuple[int, ...]

    def __init__(
        self, dims: int = 3, channels: tuple[int, int] = (1, 1), stride: int = 2
    ) -> None:
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

    def channels_out(self, channels_in: int) -> int:
        if channels_in != self.channels[0]:
            raise ValueError(f"takes {self.channels[0]} channels, found {channels_in}")
        return self.channels[1]

    def __call__(self, image: Tensor, /) -> Tensor:
        smoothed: Tensor = self.net(image)
        return smoothed


class Add(Smooth):
    """Adds a number: what comes out shows what went in."""

    def __init__(
        self, number: float = 0.0, dims: int = 3, channels: int | None = None
    ) -> None:
        self.number = number
        self.halo = (0,) * dims
        self.stride = (1,) * dims
        self.only = channels

    def channels_out(self, channels_in: int) -> int:
        if self.only not in (None, channels_in):
            raise ValueError(f"takes {self.only} channels, found {channels_in}")
        return channels_in

    def __call__(self, image: Tensor, /) -> Tensor:
        return image + self.number


def restored(*args: Any, **options: Any) -> Any:
    events = list(apply(*args, **options))
    assert isinstance(events[-1], Finished)
    return events[-1].result


def ramp(*shape: int, dtype: DTypeLike = "float32") -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.int64).reshape(shape).astype(dtype)
