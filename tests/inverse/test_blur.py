"""The blur and its adjoint."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve

from napari_blurgan.errors import BlurGANError
from napari_blurgan.inverse.blur import Blur

RNG = np.random.default_rng(0)
SHAPE = (5, 8, 9)


def psf(shape: tuple[int, ...] = (3, 3, 5)) -> torch.Tensor:
    values = RNG.random(shape).astype(np.float32)
    return torch.from_numpy(values / values.sum())


@pytest.mark.parametrize("edges", ["extend", "periodic"])
def test_the_adjoint_is_exact(edges: str) -> None:
    blur = Blur(psf(), SHAPE, edges)
    x = torch.from_numpy(RNG.random(blur.shape).astype(np.float32))
    y = torch.from_numpy(RNG.random(SHAPE).astype(np.float32))
    left = float((blur.forward(x) * y).sum())
    right = float((x * blur.adjoint(y)).sum())
    assert left == pytest.approx(right, rel=1e-5)


def test_it_is_a_convolution() -> None:
    kernel = psf()
    blur = Blur(kernel, SHAPE, "periodic")
    x = RNG.random(SHAPE).astype(np.float32)
    expected = convolve(x, kernel.numpy(), mode="wrap")
    found = blur.forward(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_crop_undoes_embed() -> None:
    blur = Blur(psf(), SHAPE)
    image = torch.rand(SHAPE)
    torch.testing.assert_close(blur.crop(blur.embed(image)), image)


def test_a_psf_of_other_axes_is_refused() -> None:
    with pytest.raises(BlurGANError):
        Blur(psf((3, 3)), SHAPE)
