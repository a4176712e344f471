"""Total variation against noise."""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from napari_blurgan import Psf
from napari_blurgan.classical.total_variation import curvature, tv_richardson_lucy

POINT = np.zeros((7, 7, 7))
POINT[3, 3, 3] = 1
PSF = Psf(gaussian_filter(POINT, 1.0), (0.1, 0.1, 0.1))


def test_a_flat_region_has_no_curvature() -> None:
    flat = torch.full((4, 6, 6), 3.0)
    assert float(curvature(flat, (1, 1, 1), 1e-3).abs().max()) < 1e-3


def test_a_bright_spot_is_pulled_down() -> None:
    spot = torch.ones(5, 7, 7)
    spot[2, 3, 3] = 10
    assert float(curvature(spot, (1, 1, 1), 1e-3)[2, 3, 3]) < 0


def test_a_larger_weight_is_smoother() -> None:
    body = np.zeros((10, 20, 20))
    body[3:7, 5:15, 5:15] = 30
    noisy = np.random.default_rng(0).poisson(gaussian_filter(body, 1.0) + 5)
    rough, smooth = (
        tv_richardson_lucy(noisy, PSF, 30, weight=w).image for w in (1e-4, 0.05)
    )
    inside = (slice(4, 6), slice(7, 13), slice(7, 13))
    assert smooth[inside].std() < 0.5 * rough[inside].std()
