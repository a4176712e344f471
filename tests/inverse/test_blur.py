"""The blur and its adjoint."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve

from napari_blurgan.errors import BlurGANError
from napari_blurgan.inverse.blur import Blur
from napari_blurgan.optics.fourier import captured, transfer_function

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


@pytest.mark.parametrize(
    ("taps", "image", "spare"),
    [
        ((3, 5, 7), (4, 9, 6), 0),
        ((4, 6), (9, 5), 3),
        ((31, 7, 9), (5, 4, 8), 1),
        ((1, 8, 8), (1, 3, 2), 5),
    ],
)
def test_what_the_image_captures_is_the_adjoint_of_ones(
    taps: tuple[int, ...], image: tuple[int, ...], spare: int
) -> None:
    kernel = psf(taps).double()
    domain = [n + k - 1 + spare for n, k in zip(image, taps, strict=True)]
    otf = transfer_function(kernel, domain)
    ones = torch.zeros(domain, dtype=torch.float64)
    ones[tuple(slice(n) for n in image)] = 1
    expected = torch.fft.irfftn(torch.fft.rfftn(ones) * otf.conj(), domain)
    found = captured(kernel, list(image), domain)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
