"""Estimates that are made of grains: what they are, and how far they depend on y."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from napari_blurgan.estimates.estimator import Estimator
from napari_blurgan.estimates.grain import grainy, taps_of
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel, gaussian_kernel

GRAIN = 1.3


def blur(dims: int = 3) -> BlurKernel:
    depth = 5 if dims == 3 else 1
    kernel = gaussian_kernel((depth, 9, 9), (2.0 if dims == 3 else 1.0, 2.5, 2.5))
    return BlurKernel(FixedKernel(kernel), dims=dims)


def spots(shape: tuple[int, ...], photons: float) -> torch.Tensor:
    """Return a noisy image of soft spots, (1, 1, [z,] y, x)."""
    rng = np.random.default_rng(0)
    points = (rng.random(shape) > 0.99) * 1.0
    soft = gaussian_filter(points, (0,) * (len(shape) - 2) + (1.5, 1.5))
    truth = torch.from_numpy(photons * soft / soft.max())[None, None].float()
    return torch.poisson(blur(len(shape))(truth, "zero").clamp(min=0) + 1)


@pytest.mark.parametrize("grain", [0.4, GRAIN, 3.0])
def test_grains_are_gaussians_in_planes(grain: float) -> None:
    image = torch.rand(2, 1, 5, 40, 40)
    expected = gaussian_filter(
        image.numpy(), (0, 0, 0, grain, grain), truncate=3.0, mode="constant"
    )
    inside = (..., slice(10, -10), slice(10, -10))
    found = grainy(image, taps_of(grain))
    np.testing.assert_allclose(found[inside], expected[inside], atol=2e-3)
    assert float(taps_of(grain).sum()) == pytest.approx(1)


def test_single_voxels_are_left_as_they_are() -> None:
    image = torch.rand(1, 1, 3, 8, 8)
    torch.testing.assert_close(grainy(image, taps_of(0.0)), image)


@pytest.mark.parametrize("dims", [2, 3])
def test_a_grainy_estimate_explains_the_image_and_has_no_finer_detail(
    dims: int,
) -> None:
    y = spots((12, 48, 48)[-dims:], 200.0)
    found, expected = Estimator(30, 1.0, grain=GRAIN).fit(y, blur(dims))
    again = blur(dims)(found, "zero")
    inside = (..., *[slice(4, -4), slice(9, -9), slice(9, -9)][-dims:])
    torch.testing.assert_close(again[inside], expected[inside], rtol=0.02, atol=0.5)
    spectra = [
        torch.fft.rfft2(image[..., 8:-8, 8:-8]).abs().square()[..., 12:20, 12:].mean()
        for image in (found, Estimator(30, 1.0)(y, blur(dims)))
    ]
    assert spectra[0] < 0.02 * spectra[1]


def test_depths_are_all_made_of_grains() -> None:
    y = spots((48, 48), 200.0)
    estimates = Estimator(16, 1.0, depths=3, grain=GRAIN)(y, blur(2))
    alone = [Estimator(n, 1.0, grain=GRAIN)(y, blur(2)) for n in (4, 8, 16)]
    torch.testing.assert_close(estimates, torch.cat(alone, 1))


def test_beyond_the_halo_y_hardly_matters() -> None:
    estimator, kernel = Estimator(8, 1.0, grain=GRAIN), blur(2)
    reach = estimator.halo(kernel)
    assert all(
        a > b for a, b in zip(reach, Estimator(8, 1.0).halo(kernel), strict=True)
    )
    y = spots((160, 160), 200.0)
    whole = estimator(y, kernel)
    rows, columns = (slice(80 - r, 80 + 16 + r) for r in reach)
    part = estimator(y[..., rows, columns], kernel)
    core = part[..., reach[0] : reach[0] + 16, reach[1] : reach[1] + 16]
    expected = whole[..., 80:96, 80:96]
    assert float((core - expected).abs().max()) < 0.02 * float(whole.max())
