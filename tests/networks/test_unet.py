"""The U-Net."""

from __future__ import annotations

import pytest
import torch

from napari_blurgan.networks.unet import UNet


@pytest.mark.parametrize("dims", [2, 3])
def test_it_keeps_sizes_of_any_kind(dims: int) -> None:
    torch.manual_seed(0)
    network = UNet(dims, 2, 3, base=2, levels=2).eval()
    size = (5, 6, 7)[:dims]
    assert network(torch.rand(1, 2, *size)).shape == (1, 3, *size)


def test_a_voxel_reaches_no_farther_than_the_halo() -> None:
    torch.manual_seed(0)
    network = UNet(2, 1, 1, base=2, levels=3).eval()
    halo = network.receptive_halo[0]
    image = torch.rand(1, 1, 96, 96)
    changed = image.clone()
    changed[..., 48, 48] += 1
    with torch.inference_mode():
        moved = (network(changed) - network(image)).abs()[0, 0] > 1e-6
    ys, xs = torch.nonzero(moved, as_tuple=True)
    reach = max(int((ys - 48).abs().max()), int((xs - 48).abs().max()))
    assert 0 < reach <= halo


def test_a_region_is_part_of_the_whole() -> None:
    torch.manual_seed(0)
    network = UNet(2, 1, 1, base=2, levels=2).eval()
    image = torch.rand(1, 1, 40, 40)
    region = (slice(16, 24), slice(8, 20))
    with torch.inference_mode():
        whole, part = network(image), network(image, region)
    torch.testing.assert_close(part, whole[..., 16:24, 8:20], rtol=1e-4, atol=1e-5)
