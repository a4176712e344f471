"""Tiles of all frames in a row, and the time that they take."""

from __future__ import annotations

import numpy as np

from napari_blurgan import Stack
from napari_blurgan.restoration.run import Countdown, piece
from napari_blurgan.tiling.layout import Layout
from napari_blurgan.tiling.tiling import Tiling


class Unchanged:
    """An operator that returns its input."""

    halo = stride = (1, 1, 1)

    def channels_out(self, channels_in: int) -> int:
        return channels_in


def test_tiles_are_numbered_through_all_frames() -> None:
    source = Stack(np.zeros((2, 4, 8, 8), np.float32), "TZYX")
    layout = Layout(source, Unchanged())
    tiling = Tiling((4, 8, 8), (4, 4, 8), (1, 1, 1), (1, 1, 1), (0, 0, 0))
    assert len(tiling) == 2
    found = [piece(layout, tiling, n) for n in range(4)]
    assert [p.frame.time for p in found] == [0, 0, 1, 1]
    assert found[1].tile.core == found[3].tile.core != found[0].tile.core


def test_the_countdown_counts_only_this_run() -> None:
    countdown = Countdown(3, 6)
    events = [countdown.tick() for _ in range(3)]
    assert [event.done for event in events] == [4, 5, 6]
    assert events[-1].seconds_left == 0
