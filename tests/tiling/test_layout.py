"""Which frames are restored, and where their results belong."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan import Stack
from napari_blurgan.errors import BlurGANError
from napari_blurgan.tiling.layout import Layout

MOVIE = Stack(np.zeros((2, 3, 4, 8, 8), np.float32), "TCZYX", (0.3, 0.1, 0.1))


class Takes:
    """An operator of so many channels and axes."""

    device = None

    def __init__(self, channels: int, axes: int = 3) -> None:
        self.channels = channels
        self.halo = self.stride = (1,) * axes

    def channels_out(self, channels_in: int) -> int:
        if channels_in != self.channels:
            raise ValueError
        return channels_in


def test_each_channel_in_turn_or_all_together() -> None:
    each, together = Layout(MOVIE, Takes(1)), Layout(MOVIE, Takes(3))
    assert [f.channels for f in each.frames[:3]] == [(0,), (1,), (2,)]
    assert [f.channels for f in together.frames] == [(0, 1, 2)] * 2
    assert each.channels == together.channels == 3


def test_planes_of_a_volume_one_by_one() -> None:
    layout = Layout(MOVIE, Takes(3, axes=2))
    assert [f.plane for f in layout.frames[:4]] == [0, 1, 2, 3]
    assert len(layout.frames) == 8


def test_a_chosen_channel_and_time_leave_no_axis() -> None:
    layout = Layout(MOVIE, Takes(1), channel=2, time=1)
    assert [(f.time, f.channels) for f in layout.frames] == [(1, (2,))]
    assert layout.axes == "ZYX"


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(BlurGANError):
        Layout(MOVIE, Takes(1), channel=3)
    with pytest.raises(BlurGANError):
        Layout(Stack(np.zeros((8, 8)), "YX"), Takes(1))
