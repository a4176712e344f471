"""Richardson–Lucy with momentum."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from napari_blurgan import Psf
from napari_blurgan.classical.accelerated import accelerated_richardson_lucy
from napari_blurgan.classical.richardson_lucy import richardson_lucy

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
