"""Intervals traced back through a network."""

from __future__ import annotations

import pytest

from napari_blurgan.networks import receptive


def test_intervals_of_single_layers() -> None:
    assert receptive.widened((4, 6), 1) == (3, 7)
    assert receptive.clipped((-2, 12), 10) == (0, 9)
    assert receptive.pooled((1, 2), 2) == (2, 5)
    assert receptive.upsampled((3, 6), 2) == (1, 3)
    assert receptive.hull((1, 3), (2, 7)) == (1, 7)


@pytest.mark.parametrize("factor", [2, 3])
def test_repeating_undoes_pooling(factor: int) -> None:
    for first in range(5):
        inner = receptive.pooled((first, first + 2), factor)
        assert receptive.upsampled(inner, factor) == (first, first + 2)


def test_a_stride_of_one_is_a_convolution() -> None:
    assert receptive.strided((4, 6), 1, 2) == receptive.widened((4, 6), 2)


def test_the_halo_of_two_convolutions_is_the_sum_of_their_radii() -> None:
    def needs(interval: tuple[int, int]) -> tuple[int, int]:
        return receptive.widened(receptive.widened(interval, 1), 3)

    assert receptive.halo(needs, 1) == 4
