"""Richardson–Lucy with momentum."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from napari_blurgan import Psf
from napari_blurgan.classical.accelerated import (
    AcceleratedSteps,
    OverrelaxedSteps,
    accelerated_richardson_lucy,
)
from napari_blurgan.classical.richardson_lucy import richardson_lucy
from napari_blurgan.inverse.run import run

POINT = np.zeros((9, 9, 9))
POINT[4, 4, 4] = 1
PSF = Psf(gaussian_filter(POINT, 1.2), (0.1, 0.1, 0.1))
SHARP = gaussian_filter(
    np.random.default_rng(0).random((10, 20, 20)) > 0.98, 0.6, output=float
)
BLURRED = gaussian_filter(1000 * SHARP, 1.2)


def error(image: np.ndarray) -> float:
    return float(np.linalg.norm(image - 1000 * SHARP))


def test_ten_iterations_do_more_than_thirty_plain_ones() -> None:
    plain = richardson_lucy(BLURRED, PSF, 30).image
    fast = accelerated_richardson_lucy(BLURRED, PSF, 10).image
    assert error(fast) < error(plain) < error(BLURRED)


def test_it_never_becomes_negative() -> None:
    noisy = np.random.default_rng(1).poisson(BLURRED).astype(np.float32)
    assert accelerated_richardson_lucy(noisy, PSF, 20).image.min() >= 0


@pytest.mark.parametrize("steps", [AcceleratedSteps, OverrelaxedSteps])
@pytest.mark.parametrize("dim", [100, 300])
def test_dim_light_beside_hazy_structure_is_kept(
    steps: type[AcceleratedSteps], dim: float
) -> None:
    point = np.zeros((1, 81, 81))
    point[0, 40, 40] = 1
    hazy = gaussian_filter(point, (0, 1.5, 1.5)) + gaussian_filter(point, (0, 8, 8))
    psf = Psf(hazy, (0.1, 0.1, 0.1))
    spots = (np.random.default_rng(0).random((1, 208, 208)) > 0.97) * 60_000.0
    spots[:, :, :104] = 0
    sharp = dim + gaussian_filter(spots, (0, 1, 1))
    blurred = fftconvolve(sharp[0], psf.data[0], "valid")[None]
    found = run(steps, blurred, psf, 8, {}).image
    np.testing.assert_allclose(found[0, 20:-20, 10:40], dim, rtol=0.1)
