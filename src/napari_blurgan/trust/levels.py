"""Units and noise of a pair of images, estimated from the images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import norm
from torch import Tensor

from napari_blurgan.errors import DataError
from napari_blurgan.optics.camera import Camera
from napari_blurgan.preparation.calibration import background_level, estimate_noise
from napari_blurgan.trust.expectation import Expectation, Levels

__all__ = ["coverage_error", "find_levels", "middle_of"]

LARGEST = (48, 192, 192)
"""Largest part of an image in which levels are estimated."""

ROUNDS = 8
OUTLIER = 3.0
SAME_UNITS = 10.0
"""Restored light within this factor of the measured light has the same units, because a
blur conserves it. A fit would mistake invented light for a difference in units."""

NOMINAL = (0.5, 0.8, 0.9, 0.95, 0.99)
Image = NDArray[np.float32]


def middle_of(shape: Sequence[int]) -> tuple[slice, ...]:
    """Return the middle of an image, ([z,] y, x), in which levels are estimated."""
    pairs = zip(shape, LARGEST[-len(shape) :], strict=True)
    starts = [(max(0, (n - most) // 2), min(n, most)) for n, most in pairs]
    return tuple(slice(start, start + size) for start, size in starts)


def find_levels(
    measured: Image, restored: Image, psf: Image | None, camera: Camera | None = None
) -> Levels:
    """Return background, units and noise with which a restoration fits the image.

    Parameters
    ----------
    measured, restored : ndarray
        ([z,] y, x), grey levels; the same part of both.
    psf : ndarray or None
        ([z,] y, x).
    camera : Camera, optional
        Whose gain, offset and read noise are known; the noise is estimated without.

    Raises
    ------
    DataError
        If nothing was restored, or the image is constant.
    """
    if not restored.max() > restored.min() or not measured.max() > measured.min():
        raise DataError("a constant image contains no evidence")
    dark = camera.offset if camera else background_level([measured])
    bright = np.maximum(restored, 0).mean(dtype=np.float64)
    scale = float(np.maximum(measured - dark, 0).mean(dtype=np.float64) / bright)
    rough = Levels(scale, dark, *_noise(measured, dark, camera))
    if 1 / SAME_UNITS < scale < SAME_UNITS:
        rough = replace(rough, scale=1.0)
    light, expected = _expected(measured, restored, psf, rough)
    gain, offset = _line(expected, light, rough.variance(expected), rough.scale == 1)
    shifted = rough.intercept + rough.slope * offset
    return Levels(
        rough.scale * gain,
        dark + offset,
        rough.slope,
        max(shifted, 0.1 * rough.intercept),
    )


def _expected(
    measured: Image, restored: Image, psf: Image | None, levels: Levels
) -> tuple[Tensor, Tensor]:
    """Return the measured light, and that expected of the restored image."""
    light = torch.from_numpy(measured - np.float32(levels.background))[None]
    image = levels.scale * torch.from_numpy(restored)[None]
    blur = None if psf is None else torch.from_numpy(psf)
    expectation = Expectation(blur, measured.shape)
    return light[0], expectation(light, image, levels.pedestal)[0]


def _noise(measured: Image, dark: float, camera: Camera | None) -> tuple[float, float]:
    if camera is not None:
        return camera.gain, (camera.gain * camera.read_noise) ** 2
    scale = float(measured.max()) - dark
    if scale <= 0:
        raise DataError("there is no light in the measured image")
    noise = estimate_noise([((measured - dark) / scale).astype(np.float32)])
    least = (1e-3 * scale) ** 2 if noise.slope == 0 else 1e-6 * scale**2
    return noise.slope * scale, max(noise.intercept * scale**2, 1e-3 * least)


def _line(
    x: Tensor, y: Tensor, variance: Tensor, same_units: bool
) -> tuple[float, float]:
    """Fit y = gain · x + offset, each voxel weighted by its noise, without outliers."""
    a, b, v = (t.numpy().ravel().astype(np.float64) for t in (x, y, variance))
    deviation = np.sqrt(np.maximum(v, 1e-12))
    gain, offset = 1.0, float(np.median(b - a))
    for _ in range(ROUNDS):
        off = np.abs(b - gain * a - offset) / deviation
        usual = max(1.0, 1.4826 * float(np.median(off)))
        weights = (off < OUTLIER * usual) / deviation
        if same_units:
            offset = float(np.average(b - a, weights=weights**2))
        else:
            gain, offset = map(float, np.polyfit(a, b, 1, w=weights))
    return (gain, offset) if gain > 0 else (1.0, float(np.median(b - a)))


def coverage_error(
    measured: Image, restored: Image, psf: Image | None, levels: Levels
) -> float:
    """Return the deviation of the noise from its assumed level, 0 to 1.

    The mean absolute difference between 50 to 99 % and the share of voxels whose misfit
    is within the bounds that contain this percentage of a Gaussian.
    """
    light, expected = _expected(measured, restored, psf, levels)
    z = (light - expected).abs() / levels.variance(expected).clamp(min=1e-12).sqrt()
    bounds = [float(norm.ppf(0.5 + p / 2)) for p in NOMINAL]
    inside = [float((z < bound).float().mean()) for bound in bounds]
    return float(np.mean(np.abs(np.subtract(inside, NOMINAL))))
