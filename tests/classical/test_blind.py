"""Blind deconvolution improves the PSF."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_blurgan import Psf
from napari_blurgan.classical.blind import blind_richardson_lucy

POINT = np.zeros((9, 13, 13))
POINT[4, 6, 6] = 1
VOXEL = (0.1, 0.1, 0.1)
TRUE = Psf(gaussian_filter(POINT, 1.2), VOXEL)
WIDE = Psf(gaussian_filter(POINT, 1.7), VOXEL)
SHARP = gaussian_filter(
    (np.random.default_rng(0).random((12, 30, 30)) > 0.985) * 5000.0, 0.6
)
BLURRED = gaussian_filter(SHARP, 1.2).astype(np.float32) + 1


def test_a_psf_that_is_too_wide_comes_closer_to_the_truth() -> None:
    found = blind_richardson_lucy(BLURRED, WIDE, 15, rounds=4, background=1.0)
    assert found.psf.relative_error(TRUE) < WIDE.relative_error(TRUE)
    assert found.psf.data.min() >= 0
    assert found.psf.data.sum() == pytest.approx(1, abs=1e-4)
