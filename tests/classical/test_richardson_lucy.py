from __future__ import annotations

from typing import Any

import pytest
import torch

from napari_blurgan.classical.richardson_lucy import (
    RichardsonLucy,
    richardson_lucy_tensor,
)
from napari_blurgan.inverse.blur import Blur


def gaussian(shape: tuple[int, ...], sigma: Any = 1.5) -> torch.Tensor:
    axes = [torch.arange(n, dtype=torch.float64) - n // 2 for n in shape]
    grids = torch.meshgrid(*axes, indexing="ij")
    kernel = torch.exp(-0.5 * sum(g**2 for g in grids) / sigma**2)
    return (kernel / kernel.sum()).float()


@pytest.mark.parametrize("edges", ["extend", "periodic"])
def test_batches_equal_single_images(edges: str) -> None:
    psf = gaussian((5, 7, 8))
    images = torch.rand(3, 1, 12, 14, 15) * 50
    plan = RichardsonLucy(psf, edges=edges)
    together = plan(images, 5)
    apart = torch.stack([plan(image, 5) for image in images])
    torch.testing.assert_close(together, apart)


def test_a_long_run_continues_from_a_start() -> None:
    psf = gaussian((7, 7))
    image = torch.rand(20, 20) * 50
    whole = richardson_lucy_tensor(image, psf, 6, edges="periodic")
    half = richardson_lucy_tensor(image, psf, 3, edges="periodic")
    torch.testing.assert_close(
        whole, richardson_lucy_tensor(image, psf, 3, edges="periodic", start=half)
    )


def test_plan_is_kept_for_a_few_shapes() -> None:
    plan = RichardsonLucy(gaussian((3, 3)))
    first = plan.blur((8, 8))
    assert plan.blur((8, 8)) is first
    for n in range(9, 14):
        plan.blur((n, n))
    assert plan.blur((8, 8)) is not first


@pytest.mark.parametrize("edges", ["extend", "periodic"])
def test_adjoint(edges: str) -> None:
    psf = torch.rand(4, 5, 6)
    blur = Blur(psf, (9, 10, 11), edges)
    x = torch.rand(blur.shape)
    y = torch.rand(blur.image_shape)
    left = (blur.forward(x).double() * y).sum()
    right = (x.double() * blur.adjoint(y)).sum()
    assert abs(left / right - 1) < 1e-5
