"""Means over neighbourhoods of the size of the PSF."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from napari_blurgan.trust.smoothing import Neighbourhood, core_share, core_sigmas

POINT = np.zeros((15, 21, 21), np.float32)
POINT[7, 10, 10] = 1


def test_the_core_of_a_gaussian_has_about_its_width() -> None:
    psf = gaussian_filter(POINT, (2.0, 1.5, 1.5))
    found = core_sigmas(psf / psf.sum())
    np.testing.assert_allclose(found, (2.0, 1.5, 1.5), rtol=0.25)


def test_haze_is_no_part_of_the_core() -> None:
    core = gaussian_filter(POINT, 1.0)
    hazy = core / core.sum() + 1 / POINT.size
    assert core_share(hazy / hazy.sum()) < 0.6 < core_share(core / core.sum())


def test_the_mean_of_a_constant_is_that_constant_inside() -> None:
    around = Neighbourhood((1.0, 1.0))
    image = torch.full((1, 1, 30, 30), 4.0)
    reach = max(around.reach)
    found = around.mean(image)[..., reach:-reach, reach:-reach]
    torch.testing.assert_close(found, torch.full_like(found, 4.0))


def test_the_variance_of_a_mean_is_that_of_white_noise() -> None:
    around = Neighbourhood((1.5, 1.5))
    noise = torch.randn(1, 1, 200, 200, generator=torch.Generator().manual_seed(0))
    predicted = around.variance_of_mean(torch.ones(1, 1, 200, 200))[..., 20:-20, 20:-20]
    seen = float(around.mean(noise)[..., 20:-20, 20:-20].var())
    assert seen == pytest.approx(float(predicted.mean()), rel=0.1)
