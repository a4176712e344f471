"""Discriminators: sizes, crops, the published 70 × 70 PatchGAN."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from napari_blurgan.errors import RecipeError
from napari_blurgan.networks.norm import Norm
from napari_blurgan.networks.patchgan import (
    MultiScaleDiscriminator,
    PatchDiscriminator,
)


def test_published_patchgan_sees_70_pixels() -> None:
    net = PatchDiscriminator(
        2, 3, base=64, layers=3, norm="instance", plain_layers=1, head_kernel=4
    )
    assert net(torch.rand(1, 3, 256, 256)).shape == (1, 1, 30, 30)
    # Zhu et al.: 2 764 737, biases under the norms and no gains and offsets.
    assert sum(p.numel() for p in net.parameters()) == 2_764_737 + 2 * 896
    plain = PatchDiscriminator(2, 1, base=2, layers=3, plain_layers=1, head_kernel=4)
    image = torch.rand(1, 1, 160, 160, requires_grad=True)
    plain(image)[0, 0, 9, 9].backward()
    seen = image.grad[0, 0].nonzero()
    assert (seen.max(0).values - seen.min(0).values + 1).tolist() == [70, 70]


def test_crops_are_full_half_and_quarter() -> None:
    net = MultiScaleDiscriminator(3, 1, base=2)
    assert net.crop_shapes((32, 32, 32)) == [(32,) * 3, (16,) * 3, (8,) * 3]
    scores = net(torch.rand(2, 1, 32, 32, 32))
    assert [s.shape for s in scores] == [
        (2, 1, 8, 8, 8),
        (2, 1, 4, 4, 4),
        (2, 1, 2, 2, 2),
    ]


@pytest.mark.parametrize(
    ("sizes", "pool", "smallest_scores"),
    [
        ((6, 32, 32), 2, (1, 2, 2)),
        ((4, 32, 32), 2, (1, 2, 2)),
        ((1, 32, 32), (1, 2, 2), (1, 2, 2)),
        ((3, 64, 64), (1, 2, 2), (2, 4, 4)),
    ],
)
def test_a_few_planes_are_enough(
    sizes: tuple[int, ...],
    pool: int | tuple[int, ...],
    smallest_scores: tuple[int, ...],
) -> None:
    net = MultiScaleDiscriminator(3, 1, base=2, pool=pool)
    assert net(torch.rand(1, 1, *sizes))[-1].shape[2:] == smallest_scores


def test_smallest_is_the_smallest() -> None:
    net = PatchDiscriminator(2, 1, base=2, layers=2, plain_layers=1, head_kernel=4)
    assert net.smallest == (12, 12)
    assert net(torch.rand(1, 1, 12, 12)).shape == (1, 1, 1, 1)
    with pytest.raises(RecipeError, match=r"\(11, 12\).*needs \(12, 12\)"):
        net(torch.rand(1, 1, 11, 12))
    with pytest.raises(RuntimeError):
        net.body(torch.rand(1, 1, 11, 12))


def test_crops_move_in_training_and_stay_at_inference() -> None:
    net = MultiScaleDiscriminator(2, 1, base=2)
    image = torch.rand(1, 1, 64, 64)
    torch.manual_seed(3)
    first, second = net(image), net(image)
    assert torch.equal(first[0], second[0])
    assert not torch.equal(first[2], second[2])
    torch.manual_seed(3)
    assert torch.equal(net(image)[2], first[2])
    net.eval()
    assert torch.equal(net(image)[2], net(image)[2])
    assert torch.equal(net(image)[2], net.discriminators[2](image[..., 24:40, 24:40]))


def test_crops_cover_the_patch_up_to_its_borders() -> None:
    net = MultiScaleDiscriminator(2, 1, base=2, scales=2)
    image = torch.zeros(1, 1, 16, 16)
    torch.manual_seed(0)
    for _ in range(1000):
        crop = net._crop(image, (8, 8))
        crop += 1
    assert image.min() > 0


def test_discriminators_are_independent_and_learn() -> None:
    torch.manual_seed(0)
    net = MultiScaleDiscriminator(3, 2, base=2, norm="instance")
    sum(score.sum() for score in net(torch.rand(1, 2, 32, 32, 32))).backward()
    first = [next(d.parameters()) for d in net.discriminators]
    assert not torch.equal(first[0], first[1])
    assert all(p.grad.abs().sum() > 0 for p in first)


@pytest.mark.parametrize(("norm", "count"), [("instance", 2), ("none", 0)])
def test_norms_follow_all_layers_but_the_first_and_the_last(
    norm: Norm, count: int
) -> None:
    net = PatchDiscriminator(3, 1, base=2, layers=3, norm=norm)
    assert sum(isinstance(m, nn.InstanceNorm3d) for m in net.modules()) == count
    assert isinstance(net.body[1], nn.LeakyReLU)
    assert isinstance(net.body[-1], nn.Conv3d)


@pytest.mark.parametrize(
    "arguments", [{"layers": 0}, {"scales": 0}, {"pool": (2, 2, 2)}, {"norm": "layer"}]
)
def test_impossible_discriminators_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(RecipeError):
        MultiScaleDiscriminator(2, 1, **arguments)
