"""The width of a peak: full width at half maximum, to a fraction of a voxel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

__all__ = ["FWHM_METHOD", "fwhm"]

FWHM_METHOD = "half-maximum crossings, Fourier-interpolated, through the sub-voxel peak"
STEPS = 32  # samples of a profile per voxel; linear in between


def fwhm(data: NDArray[np.floating]) -> tuple[float, ...]:
    """Return the full width at half maximum along every axis, in voxels.

    The peak is found to a fraction of a voxel by a parabola along each axis. The line
    through it along an axis is Fourier-interpolated (mirrored at its ends), which is
    exact for sufficient sampling, and followed outwards on either side until it first
    falls below half its maximum. No background is subtracted.

    Parameters
    ----------
    data : ndarray
        Of any number of axes, with one main peak.

    Returns
    -------
    tuple of float
        NaN along an axis on which the array ends before half the maximum is reached.
    """
    coefficients = ndimage.spline_filter(data.astype(np.float64), 5, mode="mirror")
    peak = _peak(data)
    return tuple(_width(coefficients, peak, axis) for axis in range(data.ndim))


def _peak(data: NDArray[np.floating]) -> list[float]:
    top = np.unravel_index(int(data.argmax()), data.shape)
    return [_vertex(data, top, axis) for axis in range(data.ndim)]


def _vertex(data: NDArray[np.floating], top: tuple[np.intp, ...], axis: int) -> float:
    """Return where the parabola through the top voxel and its neighbours peaks."""
    i = int(top[axis])
    if not 0 < i < data.shape[axis] - 1:
        return float(i)
    line = data[tuple(slice(None) if a == axis else t for a, t in enumerate(top))]
    left, middle, right = (float(v) for v in line[i - 1 : i + 2])
    curvature = left - 2 * middle + right
    return i if curvature == 0 else i + 0.5 * (left - right) / curvature


def _width(coefficients: NDArray[np.float64], peak: list[float], axis: int) -> float:
    n = coefficients.shape[axis]
    line = np.repeat(np.array(peak)[:, None], n, axis=1)
    line[axis] = np.arange(n)
    profile = _interpolated(
        ndimage.map_coordinates(
            coefficients, line, order=5, mode="mirror", prefilter=False
        )
    )
    top = int(profile.argmax())
    return (_crossing(profile[top:]) + _crossing(profile[top::-1])) / STEPS


def _interpolated(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `line` with `STEPS` samples per voxel."""
    mirrored = np.concatenate([line, line[-2:0:-1]])
    fine = signal.resample(mirrored, len(mirrored) * STEPS)
    return fine[: (len(line) - 1) * STEPS + 1]


def _crossing(falling: NDArray[np.float64]) -> float:
    """Return the number of samples over which a profile falls to half."""
    below = np.flatnonzero(falling < falling[0] / 2)
    if len(below) == 0:
        return np.nan
    i = int(below[0])
    before, after = float(falling[i - 1]), float(falling[i])
    return i - 1 + (before - float(falling[0]) / 2) / (before - after)
