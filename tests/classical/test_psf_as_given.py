"""PSFs as other programs and cameras leave them: in FFT order, on an offset."""

import numpy as np
import pytest

from napari_blurgan.classical.methods import METHODS, deconvolve
from napari_blurgan.optics.camera import Camera

CAMERA = Camera(gain=1.0, offset=0.0)
FEW = {m.name: {"iterations": 5} if m.iterative else {} for m in METHODS.values()}


def gaussian(shape, sigma):
    axes = [np.arange(n) - n // 2 for n in shape]
    grids = np.meshgrid(*axes, indexing="ij")
    return np.exp(-0.5 * sum((g / s) ** 2 for g, s in zip(grids, sigma, strict=True)))


@pytest.mark.parametrize("size", [(9, 15, 15), (8, 14, 15), (15, 14)])
@pytest.mark.parametrize("method", METHODS)
def test_the_result_does_not_depend_on_the_order(method, size):
    psf = gaussian(size, (1.2, 1.0, 1.0)[-len(size) :])
    image = np.random.default_rng(0).poisson(50, (10, 24, 24)[-len(size) :])
    options = FEW[method] | {"camera": CAMERA}
    right = deconvolve(image, psf, method, **options)
    found = deconvolve(image, np.fft.ifftshift(psf), method, **options)
    np.testing.assert_array_equal(found.image, right.image)
    assert any("FFT order" in note for note in found.notes)
