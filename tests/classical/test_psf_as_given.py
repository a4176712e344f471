"""PSFs as other programs and cameras leave them: in FFT order, on an offset."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_blurgan.classical.images import deconvolve
from napari_blurgan.classical.methods import METHODS
from napari_blurgan.optics.camera import Camera

CAMERA = Camera(gain=1.0, offset=0.0)
FEW = {m.name: {"iterations": 5} if m.iterative else {} for m in METHODS.values()}


def gaussian(
    shape: tuple[int, int, int], sigma: tuple[float, float, float]
) -> np.ndarray:
    axes = [np.arange(n) - n // 2 for n in shape]
    grids = np.meshgrid(*axes, indexing="ij")
    return np.exp(-0.5 * sum((g / s) ** 2 for g, s in zip(grids, sigma, strict=True)))


@pytest.mark.parametrize("size", [(9, 15, 15), (8, 14, 15), (15, 14)])
@pytest.mark.parametrize("method", METHODS)
def test_the_result_does_not_depend_on_the_order(
    method: str, size: tuple[int, ...]
) -> None:
    psf = gaussian(size, (1.2, 1.0, 1.0)[-len(size) :])
    image = np.random.default_rng(0).poisson(50, (10, 24, 24)[-len(size) :])
    options: dict[str, Any] = FEW[method] | {"camera": CAMERA}
    right = deconvolve(image, psf, method, **options)
    found = deconvolve(image, np.fft.ifftshift(psf), method, **options)
    np.testing.assert_array_equal(found.image, right.image)
    assert any("FFT order" in note for note in found.notes)


@pytest.mark.parametrize("order", ["centred", "FFT"])
@pytest.mark.parametrize("size", [(21, 31, 31), (31, 30)])
@pytest.mark.parametrize("method", METHODS)
def test_a_measured_psf_on_an_offset_is_freed_of_it(
    method: str, size: tuple[int, ...], order: str
) -> None:
    """Most of its sum is offset; the result is nearly that of the clean one."""
    width = (1.6, 1.3, 1.3)[-len(size) :]
    clean = 4000 * gaussian(size, width)
    measured = np.random.default_rng(0).poisson(clean + 100).astype(np.uint16)
    given = np.fft.ifftshift(measured) if order == "FFT" else measured
    shape = (16, 40, 40)[-len(size) :]
    truth = np.zeros(shape)
    rng = np.random.default_rng(1)
    truth[tuple(rng.integers(5, n - 5, 12) for n in shape)] = 1e4
    image = gaussian_filter(truth, width, mode="constant")
    options: dict[str, Any] = FEW[method] | {"camera": CAMERA}
    expected = deconvolve(image, clean, method, **options)
    right = expected.image
    found = deconvolve(image, given, method, **options)
    assert np.corrcoef(found.image.ravel(), right.ravel())[0, 1] > 0.99
    assert found.image.sum() == pytest.approx(right.sum(), rel=0.02)
    assert any("offset" in note for note in found.notes)
    assert not any(
        "offset" in n for n in deconvolve(image, clean, method, **options).notes
    )
