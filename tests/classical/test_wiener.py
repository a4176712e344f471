"""Linear deconvolution in one step."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_blurgan import Psf
from napari_blurgan.classical.wiener import tikhonov, wiener
from napari_blurgan.errors import BlurGANError
from napari_blurgan.inverse.result import Deconvolution

RNG = np.random.default_rng(0)
POINT = np.zeros((9, 9, 9))
POINT[4, 4, 4] = 1
PSF = Psf(gaussian_filter(POINT, 1.2), (0.1, 0.1, 0.1))
SHARP = gaussian_filter(RNG.random((12, 24, 24)) > 0.98, 0.6, output=float) * 1000
BLURRED = gaussian_filter(SHARP, 1.2)


def error(image: np.ndarray) -> float:
    return float(np.linalg.norm(image - SHARP) / np.linalg.norm(SHARP))


@pytest.mark.parametrize(
    "found",
    [wiener(BLURRED, PSF, noise=0.001), tikhonov(BLURRED, PSF, smoothness=0.001)],
    ids=["wiener", "tikhonov"],
)
def test_it_sharpens_and_conserves_the_flux(found: Deconvolution) -> None:
    assert error(found.image) < 0.9 * error(BLURRED)
    assert found.image.sum() == pytest.approx(BLURRED.sum(), rel=0.02)


def test_more_regularisation_is_smoother() -> None:
    weak, strong = (wiener(BLURRED, PSF, noise=n).image for n in (0.001, 1.0))
    assert weak.std() > strong.std()


def test_a_strength_must_be_positive() -> None:
    with pytest.raises(BlurGANError):
        wiener(BLURRED, PSF, noise=0)
