"""Repeated restorations, which should agree: of halves, of turned images, by others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import fourier_shift

from napari_blurgan.data.stack import Stack
from napari_blurgan.optics.symmetry import Symmetry
from napari_blurgan.trust.expectation import Levels

__all__ = ["disagreement", "halves", "turns"]

MOST_PHOTONS = 1e12
"""Largest number of photons per voxel; with more, photon noise is negligible."""

Image = NDArray[np.float32]
Restore = Callable[[Stack], Stack]


def halves(restore: Restore, measured: Stack, levels: Levels, seed: int = 0) -> Image:
    """Return the deviation of a restoration, from two halves of the light.

    Each photon is assigned at random to one of two images; both are restored, scaled to
    the full brightness. Half their difference is as noisy as the restoration.

    Parameters
    ----------
    restore : callable
        From a stack to a stack.
    measured : Stack
        Read into memory.
    levels : Levels
        Background and noise.
    seed : int
        Of the coins.

    Returns
    -------
    ndarray of float32
        In the shape of `measured`, not negative.
    """
    rng = np.random.default_rng(seed)
    image = np.asarray(measured).astype(np.float64) - levels.background
    one, other = (
        np.asarray(restore(_with(measured, part + levels.background)))
        for part in _split(image, levels, rng)
    )
    return np.abs(one - other).astype(np.float32) / 2


def _split(
    light: NDArray[np.float64], levels: Levels, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    brightest = max(float(light.max()), 0.0) + levels.pedestal
    if levels.slope * MOST_PHOTONS <= brightest:
        noise = rng.normal(0, np.sqrt(levels.intercept), light.shape)
        return light + noise, light - noise
    pedestal = levels.pedestal
    counts = np.rint((light + pedestal) / levels.slope).clip(min=0).astype(np.int64)
    first = rng.binomial(counts, 0.5)
    one, other = (
        2 * levels.slope * part.astype(np.float64) - pedestal
        for part in (first, counts - first)
    )
    return one, other


def turns(restore: Restore, measured: Stack, symmetry: Symmetry) -> Image:
    """Return the deviation of restorations of mirrored, rotated and shifted images.

    Each is transformed back before the comparison. Images are mirrored and rotated as
    far as the symmetry of the blur allows, and shifted by half a pixel along y and x.

    Parameters
    ----------
    restore : callable
        From a stack to a stack.
    measured : Stack
        Read into memory; its last axes are [z,] y, x.
    symmetry : Symmetry
        Of the blur.

    Returns
    -------
    ndarray of float32
        In the shape of `measured`.
    """
    image = np.asarray(measured).astype(np.float32)
    total, square, count = np.zeros(image.shape), np.zeros(image.shape), 0
    for there, back in _ways(measured.spatial_axes, image.shape, symmetry):
        turned = _with(measured, np.ascontiguousarray(there(image)))
        result = back(np.asarray(restore(turned)).astype(np.float64))
        total += result
        square += result**2
        count += 1
    variance = (square / count - (total / count) ** 2) * count / (count - 1)
    return np.sqrt(np.maximum(variance, 0)).astype(np.float32)


def disagreement(ways: Sequence[Restore], measured: Stack) -> Image:
    """Return the deviation between restorations of one image by several networks.

    Networks that were trained alike differ where the data of their training do not
    settle the answer (Lakshminarayanan et al. 2017).

    Parameters
    ----------
    ways : sequence of callable
        At least two, each from a stack to a stack.
    measured : Stack
        Read into memory.

    Returns
    -------
    ndarray of float32
        In the shape of `measured`.
    """
    made = [np.asarray(restore(measured)).astype(np.float64) for restore in ways]
    return np.std(made, axis=0, ddof=1).astype(np.float32)


Way = Callable[[NDArray[np.floating]], NDArray[np.floating]]


def _ways(
    axes: str, shape: tuple[int, ...], symmetry: Symmetry
) -> Iterator[tuple[Way, Way]]:
    """Yield transformations of an image, each with its inverse."""
    yield _same, _same
    for axis in axes.lower():
        if axis in symmetry.mirrors:
            number = axes.lower().index(axis) - len(axes)
            flip = _flip(number)
            yield flip, flip
    if symmetry.quarter_turns and shape[-1] == shape[-2]:
        yield _turn(1), _turn(-1)
        yield _turn(-1), _turn(1)
    yield _shift(0.5), _shift(-0.5)


def _same(image: NDArray[np.floating]) -> NDArray[np.floating]:
    return image


def _flip(axis: int) -> Way:
    return lambda image: np.flip(image, axis)


def _turn(quarters: int) -> Way:
    return lambda image: np.rot90(image, quarters, (-2, -1))


def _shift(pixels: float) -> Way:
    def shifted(image: NDArray[np.floating]) -> NDArray[np.floating]:
        """Shift along y and x, exact for sufficiently sampled images."""
        spectrum = np.fft.fft2(image, axes=(-2, -1))
        offsets = (0,) * (image.ndim - 2) + (pixels, pixels)
        return np.fft.ifft2(fourier_shift(spectrum, offsets), axes=(-2, -1)).real

    return shifted


def _with(stack: Stack, pixels: NDArray[np.floating]) -> Stack:
    """Return the stack with other pixels, in the float type that a network expects."""
    return replace(stack, data=pixels.astype(np.float32), metadata={})
