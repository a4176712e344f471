"""Gradient Consensus stops by itself."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_blurgan import Psf
from napari_blurgan.classical.gradient_consensus import gradient_consensus
from napari_blurgan.errors import BlurGANError
from napari_blurgan.inverse.stopping import RelativeChange
from napari_blurgan.optics.camera import Camera

POINT = np.zeros((7, 9, 9))
POINT[3, 4, 4] = 1
PSF = Psf(gaussian_filter(POINT, 1.2), (0.1, 0.1, 0.1))
RNG = np.random.default_rng(0)
SHARP = gaussian_filter((RNG.random((10, 24, 24)) > 0.97) * 3000.0, 0.7)
CAMERA = Camera(gain=1.0, offset=0.0, read_noise=0.0)
COUNTS = RNG.poisson(gaussian_filter(SHARP, 1.2) + 2).astype(np.float32)


def error(image: np.ndarray) -> float:
    return float(np.linalg.norm(image - SHARP))


def test_it_stops_before_all_iterations_and_is_better_than_its_input() -> None:
    found = gradient_consensus(COUNTS, PSF, 200, camera=CAMERA, background=2.0)
    assert 1 < found.iterations < 200
    assert error(found.image) < error(COUNTS)
    assert found.image.min() >= 0


def test_another_rule_is_refused() -> None:
    with pytest.raises(BlurGANError, match="own stopping rule"):
        gradient_consensus(COUNTS, PSF, 5, camera=CAMERA, stop=RelativeChange())
