"""The forward models: exact adjoints, no shift, flux kept, learned by gradient."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.forward import BlurKernel, NeuralForward, NoForward
from napari_blurgan.optics.kernel import (
    FixedKernel,
    FreeKernel,
    Kernel,
    SoftmaxKernel,
    gaussian_kernel,
)
from napari_blurgan.optics.pupil import PupilKernel

BOUNDARIES = ("valid", "zero", "reflect")


def pupil(shape: tuple[int, int, int] = (9, 11, 11), **options: Any) -> PupilKernel:
    settings = {"na": 1.2, "ni": 1.515, "wavelength": 520.0} | options
    return PupilKernel(shape, (0.2, 0.08, 0.08), **settings)


def every_kernel() -> list[Kernel]:
    start = gaussian_kernel((9, 11, 11), (4, 3, 3))
    return [
        FixedKernel(start),
        FreeKernel(start),
        SoftmaxKernel(start, "none"),
        SoftmaxKernel(start, "axes"),
        SoftmaxKernel(start, "rotational"),
        pupil(),
        pupil(model="born-wolf"),
    ]


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("kernel", [(5, 7, 9), (4, 6, 8), (5, 6, 9), (1, 5, 4)])
@pytest.mark.parametrize("size", [(13, 17, 19), (12, 16, 18), (13, 16, 19)])
def test_adjoint_is_exact(
    boundary: str, kernel: tuple[int, int, int], size: tuple[int, int, int]
) -> None:
    rng = np.random.default_rng(0)
    blur = BlurKernel(FixedKernel(rng.random(kernel)), gain=3.0)
    x = torch.tensor(rng.random((2, 1, *size)), dtype=torch.float32)
    hx = blur(x, boundary)
    y = torch.tensor(rng.random(hx.shape), dtype=torch.float32)
    left, right = (
        (hx * y).double().sum(),
        (x * blur.adjoint(y, boundary)).double().sum(),
    )
    assert abs(left / right - 1) < 1e-5


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("kernel", [(1, 7, 9), (1, 6, 8)])
@pytest.mark.parametrize("size", [(17, 19), (16, 18)])
def test_adjoint_is_exact_in_the_plane(
    boundary: str, kernel: tuple[int, int, int], size: tuple[int, int]
) -> None:
    rng = np.random.default_rng(0)
    blur = BlurKernel(FixedKernel(rng.random(kernel)), dims=2)
    x = torch.tensor(rng.normal(size=(1, 3, *size)), dtype=torch.float32)
    hx = blur(x, boundary)
    y = torch.tensor(rng.normal(size=hx.shape), dtype=torch.float32)
    left, right = (
        (hx * y).double().sum(),
        (x * blur.adjoint(y, boundary)).double().sum(),
    )
    scale = hx.norm() * y.norm()
    assert abs(left - right) < 1e-5 * scale


@pytest.mark.parametrize(("boundary", "mode"), [("zero", "constant"), ("reflect",) * 2])
@pytest.mark.parametrize("kernel", [(5, 7, 9), (4, 6, 8)])
def test_blur_is_the_convolution_of_scipy(
    boundary: str, mode: str, kernel: tuple[int, int, int]
) -> None:
    rng = np.random.default_rng(1)
    weights, image = rng.random(kernel), rng.random((11, 12, 13))
    blur = BlurKernel(FixedKernel(weights))
    y = blur(torch.tensor(image)[None, None], boundary)[0, 0].numpy()
    expected = ndimage.convolve(image, weights / weights.sum(), mode=mode)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


def test_valid_blur_is_the_middle_of_any_other() -> None:
    blur = BlurKernel(FixedKernel(gaussian_kernel((5, 7, 9), (3, 3, 3))))
    x = torch.rand(1, 1, 14, 17, 20)
    assert blur.margin == (2, 3, 4)
    middle = blur(x, "reflect")[..., 2:-2, 3:-3, 4:-4]
    torch.testing.assert_close(blur(x), middle)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("kernel", every_kernel(), ids=lambda k: type(k).__name__)
def test_a_point_stays_where_it_is(kernel: Any, boundary: str) -> None:
    x = torch.zeros(1, 1, 33, 33, 33)
    x[..., 16, 16, 16] = 1
    blur = BlurKernel(kernel)
    y = blur(x, boundary)[0, 0].detach().numpy()
    centre = np.array(ndimage.center_of_mass(y))
    assert abs(centre - (np.array(y.shape) - 1) / 2).max() < 0.01


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("kernel", every_kernel(), ids=lambda k: type(k).__name__)
def test_flux_is_kept_inside(kernel: Any, boundary: str) -> None:
    x = torch.zeros(1, 1, 33, 33, 33)
    x[..., 12:20, 13:21, 12:22] = torch.rand(8, 8, 10)
    y = BlurKernel(kernel, gain=2.5)(x, boundary).detach()
    assert float(y.double().sum() / x.double().sum()) == pytest.approx(2.5, rel=1e-4)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("kernel", [(5, 7, 9), (4, 6, 8), (1, 7, 9), (1, 6, 8)])
@pytest.mark.parametrize("odd", [True, False])
def test_odd_or_even_a_point_stays_and_keeps_its_flux(
    boundary: str, kernel: tuple[int, int, int], odd: bool
) -> None:
    dims = 2 if kernel[0] == 1 else 3
    voxels = np.indices(kernel)
    squares = sum(
        (v - n // 2) ** 2 for v, n in zip(voxels, kernel, strict=True) if n > 1
    )
    # Ends where it is 1e-6 of its peak: an even kernel has one row more on one side.
    blur = BlurKernel(FixedKernel(np.exp(-squares / 0.6)), gain=2.5, dims=dims)
    size = ((19, 21, 23) if odd else (18, 20, 22))[-dims:]
    x = torch.zeros(1, 1, *size)
    place = tuple(n // 2 - 1 for n in size)
    x[(0, 0, *place)] = 1
    y = blur(x, boundary)[0, 0].numpy().astype(float)
    lost = blur.margin if boundary == "valid" else (0,) * dims
    moved = np.array(ndimage.center_of_mass(y)) + lost - place
    assert abs(moved).max() < 0.01
    assert y.sum() == pytest.approx(2.5, rel=1e-4)


def test_mirrored_border_keeps_the_flux_of_any_image() -> None:
    x = torch.rand(1, 1, 9, 12, 11)
    y = BlurKernel(FixedKernel(gaussian_kernel((9, 11, 11), (6, 6, 6))))(x, "reflect")
    assert float(y.sum() / x.sum()) == pytest.approx(1, rel=1e-5)


def test_blur_ignores_autocast() -> None:
    blur = BlurKernel(FixedKernel(gaussian_kernel((5, 5, 5), (3, 3, 3))))
    x = torch.rand(1, 1, 12, 12, 12)
    expected = blur(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = blur(x.bfloat16().float())
        half = blur(x.bfloat16())
    assert y.dtype == half.dtype == torch.float32
    torch.testing.assert_close(y, half)
    torch.testing.assert_close(y, expected, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("kernel", every_kernel()[1:], ids=lambda k: type(k).__name__)
def test_a_learned_kernel_follows_the_gradient(
    kernel: FreeKernel | SoftmaxKernel | PupilKernel,
) -> None:
    torch.manual_seed(0)
    blur = BlurKernel(copy.deepcopy(kernel))
    truth = BlurKernel(pupil(na=0.95, wavelength=600.0)).requires_grad_(False)
    # A light background: a mean blurred to the mean tells nothing of the kernel.
    x = torch.rand(1, 1, 16, 18, 18) ** 8
    rate = 2e-4 if isinstance(kernel, FreeKernel) else 3e-2
    optimiser = torch.optim.Adam(blur.parameters(), lr=rate)

    def loss() -> torch.Tensor:
        return (blur(x) - truth(x)).square().mean()

    start = loss().item()
    for _ in range(60):
        optimiser.zero_grad()
        value = loss()
        value.backward()
        optimiser.step()
    assert value.item() < 0.5 * start


def test_a_remembered_transfer_function_is_renewed() -> None:
    blur = BlurKernel(SoftmaxKernel(gaussian_kernel((5, 5, 5), (3, 3, 3))))
    blur.requires_grad_(False)
    x = torch.rand(1, 1, 9, 9, 9)
    before = blur(x)
    other = BlurKernel(SoftmaxKernel(gaussian_kernel((5, 5, 5), (1, 1, 1))), gain=2.0)
    blur.load_state_dict(other.state_dict())
    torch.testing.assert_close(blur(x), other(x))
    assert not torch.allclose(blur(x), before)


def test_frozen_then_learned_then_frozen() -> None:
    blur = BlurKernel(pupil((5, 5, 5)))
    x = torch.rand(1, 1, 9, 9, 9)
    blur.requires_grad_(False)
    before = blur(x)
    blur.requires_grad_(True)
    optimiser = torch.optim.Adam(blur.parameters(), lr=0.1)
    blur(x).square().sum().backward()
    optimiser.step()
    learned = blur(x).detach()
    blur.requires_grad_(False)
    torch.testing.assert_close(blur(x), learned)
    assert not torch.allclose(learned, before)


def test_a_network_loses_nothing_and_no_forward_model_does_nothing() -> None:
    x = torch.rand(1, 1, 8, 8)
    with pytest.raises(NotImplementedError):
        NoForward(dims=2)(x)
    model = NeuralForward(nn.Conv2d(1, 1, 3, padding=1), dims=2)
    assert model(x).shape == x.shape
    assert model.margin == NoForward(dims=2).margin == (0, 0)


def test_the_operator_of_the_documentation_keeps_the_grid() -> None:
    text = (Path(__file__).parents[2] / "docs" / "physics.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    scope: dict[str, Any] = {}
    exec(code, scope)
    x = torch.rand(2, 1, 7, 5, 6, requires_grad=True)
    operator = scope["AxialSubsampling"](3)
    y = operator(x)
    assert y.shape == x.shape
    assert operator.margin == (0, 0, 0)
    torch.testing.assert_close(y[:, :, 4], x[:, :, 3])
    y.sum().backward()
    assert x.grad[:, :, ::3].sum() == y.numel()


def test_errors_say_what_is_wrong() -> None:
    blur = BlurKernel(FixedKernel(gaussian_kernel((5, 5, 5), (3, 3, 3))))
    with pytest.raises(OpticsError, match="3 spatial axes"):
        blur(torch.rand(1, 1, 9, 9))
    with pytest.raises(OpticsError, match="too small for a kernel"):
        blur(torch.rand(1, 1, 4, 9, 9))
    with pytest.raises(OpticsError, match="one plane"):
        BlurKernel(FixedKernel(np.ones((3, 3, 3))), dims=2)
    with pytest.raises(OpticsError, match="2 or 3 dimensions"):
        NoForward(dims=1)
