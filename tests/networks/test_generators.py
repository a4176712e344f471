"""Generators: sizes, exact receptive fields, tiles, determinism, gradients."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from napari_blurgan.errors import RecipeError
from napari_blurgan.networks.layers import pad_to_multiple
from napari_blurgan.networks.norm import Norm
from napari_blurgan.networks.resnet import ResNet
from napari_blurgan.networks.unet import UNet

Generator = UNet | ResNet

CONFIGURATIONS: dict[str, tuple[Callable[[], Generator], tuple[int, ...]]] = {
    "U-Net 3D": (lambda: UNet(3, 1, 1, base=2), (23, 23, 23)),
    "U-Net 2D": (lambda: UNet(2, 1, 1, base=2), (23, 23)),
    "U-Net 2D, two levels": (lambda: UNet(2, 1, 1, base=2, levels=2), (9, 9)),
    "U-Net 2D, one level": (lambda: UNet(2, 1, 1, base=2, levels=1), (2, 2)),
    "U-Net 2D, first kernel 7": (
        lambda: UNet(2, 1, 1, base=2, levels=2, first_kernel=7),
        (11, 11),
    ),
    "U-Net 2D, one convolution a level": (
        lambda: UNet(2, 1, 1, base=2, convs_per_level=1),
        (13, 13),
    ),
    "U-Net 3D, planes not pooled": (
        lambda: UNet(3, 1, 1, base=2, levels=2, pool=(1, 2, 2)),
        (6, 9, 9),
    ),
    "ResNet 2D": (lambda: ResNet(2, 1, 1, base=2, blocks=1, down=1), (13, 13)),
    "ResNet 2D, two steps": (lambda: ResNet(2, 1, 1, base=2, blocks=2), (31, 31)),
    "ResNet 2D, transposed": (
        lambda: ResNet(2, 1, 1, base=2, blocks=2, upsampling="transposed"),
        (28, 28),
    ),
    "ResNet 3D, transposed, planes not pooled": (
        lambda: ResNet(
            3,
            1,
            1,
            base=2,
            blocks=1,
            down=1,
            first_kernel=3,
            pool=(1, 2, 2),
            upsampling="transposed",
        ),
        (5, 8, 8),
    ),
    "ResNet 3D, planes not pooled": (
        lambda: ResNet(
            3, 1, 1, base=2, blocks=1, down=1, first_kernel=3, pool=(1, 2, 2)
        ),
        (6, 9, 9),
    ),
}


@pytest.fixture(params=CONFIGURATIONS)
def configuration(request: pytest.FixtureRequest) -> tuple[Generator, tuple[int, ...]]:
    make, halo = CONFIGURATIONS[request.param]
    torch.manual_seed(0)
    return make().eval(), halo


def make_monotone(net: nn.Module) -> None:
    """Make every weight positive, so that no change of the input can cancel out."""
    kinds = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)
    for layer in net.modules():
        if isinstance(layer, kinds):
            nn.init.constant_(layer.weight, 1 / layer.weight[0].numel())


def reach(net: Generator, axis: int, at: int, sizes: list[int]) -> int:
    """Farthest distance along `axis` from the input voxel `at` to a changed output."""
    image = torch.full((1, 1, *sizes), 0.5, dtype=torch.float64)
    centre = [n // 2 for n in sizes]
    centre[axis] = at
    bright = image.clone()
    bright[(0, 0, *centre)] += 1e3
    with torch.no_grad():
        changed = (net(bright) != net(image))[0, 0]
    where = changed.nonzero()[:, axis]
    return int((where - at).abs().max())


def test_receptive_halo_is_exact(
    configuration: tuple[Generator, tuple[int, ...]],
) -> None:
    net, expected = configuration
    assert net.receptive_halo == expected
    make_monotone(net)
    net.double()
    for axis, (halo, stride) in enumerate(zip(expected, net.stride, strict=True)):
        sizes = [2 * s for s in net.stride]
        sizes[axis] = (2 * halo // stride + 4) * stride
        start = sizes[axis] // 2 // stride * stride
        reached = [reach(net, axis, start + n, sizes) for n in range(stride)]
        assert max(reached) == halo


def test_any_size_goes_in_and_comes_out(
    configuration: tuple[Generator, tuple[int, ...]],
) -> None:
    net, halo = configuration
    for volume in [(3, 13, 10), (1, 5, 3)]:
        sizes = volume[-len(halo) :]
        assert net(torch.rand(2, 1, *sizes)).shape == (2, 1, *sizes)


def tiled(net: Generator, image: Tensor, core: int) -> Tensor:
    """Restore 2D tiles of `core` voxels with the net's own halo and paste the cores."""
    result = torch.empty_like(image)
    stride = net.stride[0]
    halo = -(-net.receptive_halo[0] // stride) * stride
    height, width = image.shape[2:]
    for top in range(0, height, core):
        for left in range(0, width, core):
            y, x = max(top - halo, 0), max(left - halo, 0)
            tile = net(image[..., y : top + core + halo, x : left + core + halo])
            inner = tile[..., top - y :, left - x :][..., :core, :core]
            result[..., top : top + core, left : left + core] = inner
    return result


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
@pytest.mark.parametrize("kind", [UNet, ResNet])
def test_tiles_equal_the_whole_unless_the_norm_looks_at_the_tile(
    kind: type[Generator], norm: str
) -> None:
    torch.manual_seed(1)
    net = kind(2, 1, 1, base=4, norm=norm)
    # Half of the image is empty, as images are; an odd size needs padding.
    image = torch.rand(1, 1, 118, 111) * (torch.arange(111) > 60)
    net.train()
    for _ in range(3):
        net(image)
    net.eval()
    with torch.no_grad():
        whole, tiles = net(image), tiled(net, image, core=32)
    error = (tiles - whole).norm() / whole.norm()
    if norm == "instance":
        assert error > 0.05
    else:
        torch.testing.assert_close(tiles, whole, rtol=1e-5, atol=1e-5)


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_a_region_is_what_the_whole_shows_there(
    configuration: tuple[Generator, tuple[int, ...]], norm: Norm
) -> None:
    net, halo = configuration
    net.norm = norm
    draw = random.Random(0)
    sizes = [draw.randint(9, 40 if len(halo) == 2 else 18) for _ in halo]
    image = torch.randn(2, 1, *sizes)
    with torch.inference_mode():
        whole = net(image)
        for _ in range(5):
            ends = [sorted(draw.sample(range(n + 1), 2)) for n in sizes]
            region = [slice(a, b) for a, b in ends]
            part = net(image, region)
            assert torch.allclose(part, whole[(..., *region)], atol=1e-6)


def test_parameter_counts() -> None:
    # 3 levels, base 8: by hand, convolutions 88 040 + norms 624 + last 9.
    assert parameters(UNet(3, 1, 1)) == 88_673
    # Zhu et al.'s generator has 11 378 179: a bias under each of its 5 248 normalised
    # channels, where there are a gain and an offset here.
    net = ResNet(2, 3, 3, base=64, blocks=9, norm="instance")
    assert parameters(net) == 11_378_179 + 5_248


def test_seven_convolutions_a_side_make_the_published_network() -> None:
    net = UNet(3, 1, 1, base=2, levels=4, norm="instance", activation="sigmoid")
    convolutions = [m for m in net.modules() if isinstance(m, nn.Conv3d)]
    assert len(convolutions) == 2 * 7 + 1
    output = net(10 * torch.randn(1, 1, 16, 16, 16))
    assert 0 < output.min() < output.max() < 1


@pytest.mark.parametrize("kind", [UNet, ResNet])
def test_channels_in_and_out_may_differ(kind: type[Generator]) -> None:
    assert kind(2, 13, 3, base=4)(torch.rand(1, 13, 16, 16)).shape == (1, 3, 16, 16)


@pytest.mark.parametrize("kind", [UNet, ResNet])
def test_same_seed_same_network(kind: type[Generator]) -> None:
    nets = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        nets.append(nn.utils.parameters_to_vector(kind(2, 1, 1, base=4).parameters()))
    assert torch.equal(nets[0], nets[1])
    assert not torch.equal(nets[0], nets[2])


@pytest.mark.parametrize("kind", [UNet, ResNet])
@pytest.mark.parametrize("dims", [2, 3])
def test_gradients_reach_every_parameter(kind: type[Generator], dims: int) -> None:
    torch.manual_seed(2)
    net = kind(dims, 2, 1, base=4)
    net(torch.rand(2, 2, *(16,) * dims)).square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("kind", [UNet, ResNet])
def test_zero_last_starts_at_the_bias_and_learns(kind: type[Generator]) -> None:
    image = torch.rand(1, 1, 8, 8)
    assert torch.all(kind(2, 1, 1, base=4, zero_last=True)(image) == 0)
    net = kind(2, 1, 1, base=4, zero_last=True, output_bias=-3.0)
    assert torch.all(net(image) == -3)
    net(image).sum().backward()
    assert net.last.weight.grad.abs().sum() > 0


def test_padding_repeats_the_border() -> None:
    image = torch.arange(3.0).reshape(1, 1, 1, 3)
    padded = pad_to_multiple(image, (2, 4))
    assert padded[0, 0].tolist() == [[0, 1, 2, 2], [0, 1, 2, 2]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: UNet(4, 1, 1), "2 or 3 dimensions, not 4"),
        (lambda: UNet(3, 1, 1, pool=(2, 2)), "3 numbers >= 1"),
        (lambda: UNet(2, 1, 1, pool=0), "numbers >= 1"),
        (lambda: UNet(2, 1, 1, levels=0), "levels"),
        (lambda: UNet(2, 1, 1, first_kernel=4), "odd kernel sizes, not 4"),
        (lambda: UNet(2, 1, 1, norm="layer"), "no normalisation 'layer'"),
        (lambda: UNet(2, 1, 1, activation="tanh"), "no activation 'tanh'"),
        (lambda: ResNet(2, 1, 1, blocks=0), "blocks"),
    ],
)
def test_impossible_networks_are_refused(
    make: Callable[[], Generator], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        make()
