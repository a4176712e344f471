from __future__ import annotations

from typing import Any

import pytest
import torch

from napari_blurgan.classical.richardson_lucy import RichardsonLucySteps
from napari_blurgan.inverse.blur import Blur
from napari_blurgan.inverse.observation import Observation


def gaussian(shape: tuple[int, ...], sigma: Any = 1.5) -> torch.Tensor:
    axes = [torch.arange(n, dtype=torch.float64) - n // 2 for n in shape]
    grids = torch.meshgrid(*axes, indexing="ij")
    kernel = torch.exp(-0.5 * sum(g**2 for g in grids) / sigma**2)
    return (kernel / kernel.sum()).float()


def estimate(
    image: torch.Tensor,
    psf: torch.Tensor,
    iterations: int,
    edges: Any,
    start: torch.Tensor | None = None,
) -> torch.Tensor:
    blur = Blur(psf, tuple(image.shape[-psf.ndim :]), edges)
    steps = RichardsonLucySteps(Observation(image, blur), start)
    for _ in range(iterations):
        steps.correct(steps.predict())
    return blur.crop(steps.estimate)


@pytest.mark.parametrize("edges", ["extend", "periodic"])
def test_batches_equal_single_images(edges: str) -> None:
    psf = gaussian((5, 7, 8))
    images = torch.rand(3, 1, 12, 14, 15) * 50
    together = estimate(images, psf, 5, edges)
    apart = torch.stack([estimate(image, psf, 5, edges) for image in images])
    torch.testing.assert_close(together, apart)


def test_a_long_run_continues_from_a_start() -> None:
    psf = gaussian((7, 7))
    image = torch.rand(20, 20) * 50
    whole = estimate(image, psf, 6, "periodic")
    half = estimate(image, psf, 3, "periodic")
    torch.testing.assert_close(whole, estimate(image, psf, 3, "periodic", half))


@pytest.mark.parametrize("edges", ["extend", "periodic"])
def test_adjoint(edges: str) -> None:
    psf = torch.rand(4, 5, 6)
    blur = Blur(psf, (9, 10, 11), edges)
    x = torch.rand(blur.shape)
    y = torch.rand(blur.image_shape)
    left = (blur.forward(x).double() * y).sum()
    right = (x.double() * blur.adjoint(y)).sum()
    assert abs(left / right - 1) < 1e-5
