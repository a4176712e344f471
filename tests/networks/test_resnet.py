"""The residual generator."""

from __future__ import annotations

import pytest
import torch

from napari_blurgan.networks.resnet import ResidualBlock, ResNet


@pytest.mark.parametrize("upsampling", ["nearest", "transposed"])
def test_it_keeps_sizes_of_any_kind(upsampling: str) -> None:
    torch.manual_seed(0)
    network = ResNet(2, 1, 3, base=2, blocks=1, upsampling=upsampling).eval()
    assert network(torch.rand(1, 1, 13, 18)).shape == (1, 3, 13, 18)


def test_a_block_adds_to_its_input() -> None:
    block = ResidualBlock(2, 3, "none", 0.1)
    for parameter in block.parameters():
        torch.nn.init.zeros_(parameter)
    features = torch.rand(1, 3, 5, 5)
    torch.testing.assert_close(block(features), features)


def test_more_blocks_reach_farther() -> None:
    halos = [ResNet(2, 1, 1, base=2, blocks=n).receptive_halo[0] for n in (1, 3)]
    assert halos[0] < halos[1]
