"""From a structure to its microscope image."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import convolve

from napari_blurgan.errors import BlurGANError
from napari_blurgan.optics.simulation import blur, margin_for, simulate

RNG = np.random.default_rng(0)
PSF = RNG.random((3, 5, 5)).astype(np.float32)
PSF /= PSF.sum()


def test_the_blur_is_a_convolution_with_dark_surroundings() -> None:
    sharp = RNG.random((6, 12, 14)).astype(np.float32)
    expected = convolve(sharp, PSF, mode="constant")
    np.testing.assert_allclose(blur(sharp, PSF), expected, atol=1e-5)


def test_the_margin_lets_outside_light_in() -> None:
    margin = margin_for(PSF)
    sharp = np.ones([n + 2 * m for n, m in zip((6, 12, 14), margin, strict=True)])
    inside, image = simulate(sharp.astype(np.float32), PSF, seed=0, margin=margin)
    assert inside.shape == image.shape == (6, 12, 14)
    np.testing.assert_allclose(image, 1, atol=1e-5)


def test_a_margin_that_leaves_nothing_is_refused() -> None:
    with pytest.raises((BlurGANError, ValueError)):
        simulate(np.ones((4, 4, 4), np.float32), PSF, seed=0, margin=(2, 2, 2))
