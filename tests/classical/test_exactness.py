"""Deconvolution moves nothing, loses no light, and its two blurs are adjoint."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage import restoration

from napari_blurgan.classical.accelerated import accelerated_richardson_lucy
from napari_blurgan.classical.richardson_lucy import richardson_lucy
from napari_blurgan.classical.total_variation import tv_richardson_lucy
from napari_blurgan.classical.wiener import tikhonov, wiener
from napari_blurgan.errors import OpticsError
from napari_blurgan.inverse.blur import Blur

SIZES = list(itertools.product((20, 21), (7, 8)))
METHODS = {
    "rl": lambda y, h, **o: richardson_lucy(y, h, 40, **o),
    "accelerated": lambda y, h, **o: accelerated_richardson_lucy(y, h, 15, **o),
    "tv": lambda y, h, **o: tv_richardson_lucy(y, h, 20, **o),
    "wiener": lambda y, h, **o: wiener(y, h, noise=1e-3, **o),
    "tikhonov": lambda y, h, **o: tikhonov(y, h, smoothness=1e-3, **o),
}


def gaussian(
    shape: tuple[int, int, int], sigma: tuple[float, float, float]
) -> np.ndarray:
    """Centred at n // 2 in odd and even boxes; symmetric about it in both."""
    axes = [np.arange(n) - n // 2 for n in shape]
    grids = np.meshgrid(*axes, indexing="ij")
    kernel = np.exp(-0.5 * sum((g / s) ** 2 for g, s in zip(grids, sigma, strict=True)))
    for axis, n in enumerate(shape):
        if n % 2 == 0:  # the plane without a partner on the other side
            kernel[(slice(None),) * axis + (0,)] = 0
    return kernel / kernel.sum()


def beads(shape: tuple[int, int, int]) -> np.ndarray:
    """Points at whole voxels, well inside."""
    truth = np.zeros(shape)
    truth[around(shape, 0)] = 800
    truth[around(shape, -5)] = 400
    return truth


def around(shape: tuple[int, ...], offset: int) -> tuple[int, ...]:
    return tuple(n // 2 + offset for n in shape)


def displacement(result: np.ndarray, offset: int) -> np.ndarray:
    """How far the bead at an offset from the middle was moved, in voxels."""
    window = tuple(slice(c - 2, c + 3) for c in around(result.shape, offset))
    return np.subtract(ndimage.center_of_mass(result[window]), 2)


@pytest.mark.parametrize("edges", ["extend", "periodic"])
@pytest.mark.parametrize("shape", [(9, 10, 11), (10, 9, 8), (13, 12)])
@pytest.mark.parametrize("psf", [(4, 5, 6), (5, 4, 7)])
def test_adjoint(shape: tuple[int, ...], psf: tuple[int, int, int], edges: str) -> None:
    torch.manual_seed(0)
    blur = Blur(torch.rand(psf[-len(shape) :]), shape, edges)
    x, y = torch.rand(blur.shape), torch.rand(blur.image_shape)
    left = (blur.forward(x).double() * y).sum()
    right = (x.double() * blur.adjoint(y)).sum()
    assert abs(left / right - 1) < 1e-5


@pytest.mark.parametrize("edges", ["extend", "periodic"])
def test_lags_is_the_adjoint_in_the_psf(edges: str) -> None:
    torch.manual_seed(0)
    shape, size = (9, 10, 11), (4, 5, 6)
    h, y = torch.rand(size), torch.rand(shape)
    blur = Blur(h, shape, edges)
    x = torch.rand(blur.shape)
    left = (blur.forward(x).double() * y).sum()
    right = (h.double() * blur.lags(x, y)).sum()
    assert abs(left / right - 1) < 1e-5


def test_forward_is_the_direct_convolution() -> None:
    rng = np.random.default_rng(0)
    psf, image = rng.random((3, 4, 5)), rng.random((6, 7, 8))
    blur = Blur(torch.from_numpy(psf).float(), image.shape)
    ours = blur.forward(blur.embed(torch.from_numpy(image).float()))
    direct = np.zeros_like(image)
    for at in np.ndindex(image.shape):
        for lag in np.ndindex(psf.shape):
            source = tuple(np.add(at, np.array(psf.shape) // 2) - lag)
            if all(0 <= s < n for s, n in zip(source, image.shape, strict=True)):
                direct[at] += psf[lag] * image[source]
    np.testing.assert_allclose(ours, direct, rtol=1e-4)


@pytest.mark.parametrize("edges", ["extend", "periodic"])
@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(("n", "k"), SIZES)
def test_nothing_moves_and_no_light_is_lost(
    name: str, n: int, k: int, edges: str
) -> None:
    shape, size = (n, n + 1, n), (k, k, k + 1)
    psf, truth = gaussian(size, (1.2, 1.0, 1.0)), beads(shape)
    blur = Blur(torch.from_numpy(psf).float(), shape, edges)
    seen = blur.forward(blur.embed(torch.from_numpy(truth).float())).numpy()
    result = METHODS[name](seen, psf, edges=edges).image
    assert max(np.abs(displacement(result, o)).max() for o in (0, -5)) < 0.02
    # A linear filter rings beyond the field of view, and what rings there is lost.
    linear = name in ("wiener", "tikhonov") and edges == "extend"
    flux = result.sum(dtype=float) / seen.sum(dtype=float)
    assert abs(flux - 1) < (5e-3 if linear else 1e-4)


@pytest.mark.parametrize("edges", ["extend", "periodic"])
def test_agrees_with_scikit_image(edges: str) -> None:
    """Amid darkness edges do not matter, and all implementations should agree."""
    rng = np.random.default_rng(0)
    psf = gaussian((5, 7, 7), (1.0, 1.3, 1.3))
    truth = np.zeros((26, 32, 32))
    truth[9:17, 11:21, 11:21] = rng.gamma(1.0, 50, (8, 10, 10))
    image = rng.poisson(ndimage.convolve(truth, psf, mode="constant"))
    theirs = restoration.richardson_lucy(image.astype(float), psf, 20, clip=False)
    ours = richardson_lucy(image, psf, 20, start=0.5, edges=edges).image
    np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-3)


def test_periodic_psf_must_fit() -> None:
    with pytest.raises(OpticsError, match="wider than the periodic image"):
        Blur(torch.ones(3, 9), (8, 8), "periodic")
    with pytest.raises(OpticsError, match="cannot blur images of 2 axes"):
        Blur(torch.ones(3, 3, 3), (8, 8))
