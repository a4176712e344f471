"""Networks in turns with a forward model."""

from __future__ import annotations

import copy

import pytest
import torch

from napari_blurgan.data.kspace import rotated
from napari_blurgan.forward.kspace import KSpaceForward, KSpaceMask
from napari_blurgan.networks.cascade import Cascade
from napari_blurgan.networks.unet import UNet
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel, gaussian_kernel
from tests.transport.test_kspace import slices, tensor


def nets(dims: int = 2, channels: int = 2, zero: bool = True) -> list[UNet]:
    torch.manual_seed(0)
    return [
        UNet(dims, channels, channels, base=2, levels=2, zero_last=zero, norm="none")
        for _ in range(2)
    ]


def test_whatever_the_networks_add_the_measured_lines_stay() -> None:
    sharp = tensor(slices(1))
    measured = KSpaceMask(KSpaceForward())(sharp)
    cascade = Cascade(nets(zero=False))
    cascade.lend(KSpaceMask(KSpaceForward()))
    made = cascade(measured)
    assert not torch.allclose(made, measured, atol=1e-2)
    again = KSpaceMask(KSpaceForward()).matching(measured)(made)
    assert torch.allclose(again, measured, atol=1e-5)


def test_a_network_sees_no_smooth_phase_and_its_answer_gets_it_back() -> None:
    sharp = tensor(slices(1))
    mask = KSpaceMask(KSpaceForward())
    known = mask.matching(mask(sharp))
    turned = rotated(sharp, torch.tensor([0.6, 0.8]).reshape(1, 2, 1, 1))
    other = known_of(mask, known, turned)
    assert torch.allclose(known.simpler(sharp), other.simpler(turned), atol=1e-4)
    assert torch.allclose(known.original(known.simpler(sharp)), sharp, atol=1e-4)
    size = sharp.square().sum(1).sqrt().mean()
    assert known.simpler(sharp)[:, 0].mean() > 0.8 * size > sharp[:, 0].mean()
    assert mask.simpler(sharp) is sharp


def known_of(mask: KSpaceMask, known: KSpaceMask, image: torch.Tensor) -> KSpaceMask:
    """Return the mask with the lines of another, matched to an image."""
    return mask.matching(known(image))


def test_without_networks_it_is_a_gradient_descent() -> None:
    blur = BlurKernel(FixedKernel(gaussian_kernel((1, 9, 9), (1, 2, 2))), 2.0, dims=2)
    x = torch.rand(1, 1, 24, 24)
    y = blur(x, "reflect")
    cascade = Cascade(nets(channels=1))
    cascade.lend(blur)
    made = torch.zeros_like(y)
    for _ in range(3):
        unexplained = y - blur(made, "reflect")
        made = made + blur.adjoint(unexplained, "reflect") / 4
    assert torch.allclose(cascade(y), made, atol=1e-5)


def test_the_forward_model_is_no_part_of_it() -> None:
    mask = KSpaceMask(KSpaceForward())
    cascade = Cascade(nets())
    cascade.lend(mask)
    assert not any("gain" in name for name in cascade.state_dict())
    assert copy.deepcopy(cascade)._forward is mask


def test_it_depends_on_nothing_beyond_its_halo() -> None:
    blur = BlurKernel(FixedKernel(gaussian_kernel((1, 3, 3), (1, 1, 1))), dims=2)
    cascade = Cascade(nets(channels=1, zero=False)).eval()
    cascade.lend(blur)
    halo = cascade.receptive_halo
    side = 2 * halo[0] + 24
    y = torch.rand(1, 1, side, side)
    other = y.clone()
    middle = side // 2 // 2 * 2
    far = middle - halo[0]
    other[..., :far, :] = 0
    a, b = cascade(y), cascade(other)
    assert torch.allclose(a[..., middle, :], b[..., middle, :], atol=1e-6)
    other[..., far + halo[0] - 2, :] = 0
    assert not torch.allclose(a[..., middle, :], cascade(other)[..., middle, :])


def test_without_a_forward_model_it_says_so() -> None:
    with pytest.raises(ValueError, match="needs a forward model"):
        Cascade(nets())(torch.zeros(1, 2, 16, 16))
