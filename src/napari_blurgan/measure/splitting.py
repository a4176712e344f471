"""Two images with independent noise from one, for single-image resolution."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import fourier_shift

from napari_blurgan.errors import DataError

__all__ = ["binomial_split", "checkerboard_split", "split_counts"]

Image = NDArray[np.float64]


def split_counts(
    counts: Image, share: float, rng: np.random.Generator
) -> tuple[Image, Image]:
    """Divide every count at random; the two parts are independent Poisson counts.

    Parameters
    ----------
    counts : ndarray
        Whole numbers, none negative.
    share : float
        Of the counts that the first part gets, between 0 and 1.
    rng : numpy.random.Generator
        The coin.
    """
    first = rng.binomial(counts.astype(np.int64), share)
    return first.astype(np.float64), counts - first


def binomial_split(
    image: ArrayLike,
    *,
    gain: float,
    offset: float,
    read_noise: float = 0.0,
    seed: int,
) -> tuple[Image, Image]:
    """Distribute the photons of a raw image at random over two images.

    The halves of a Poisson count are independent Poisson counts. With read noise of
    variance r² the counts are shifted by r² first, after which mean and variance agree
    again and the halves are uncorrelated, as long as no count is negative.

    Parameters
    ----------
    image : array-like
        Raw grey levels, as the camera gave them: filtered, deconvolved, averaged or
        interpolated images are not made of counts.
    gain : float
        Grey levels an electron.
    offset : float
        Grey level of darkness.
    read_noise : float
        Standard deviation in electrons. Where it is there but not said, the halves
        share it, and the resolution comes out too good.
    seed : int
        Of the coin.

    Returns
    -------
    first, second : ndarray
        Electrons; they sum to the shifted counts.

    Raises
    ------
    DataError
        If the gain is not positive, a value is not finite, or most of the image lies
        below the offset.
    """
    grey = np.asarray(image, dtype=np.float64)
    if not np.isfinite(grey).all():
        raise DataError("the image contains NaN or infinite values")
    if gain <= 0 or read_noise < 0:
        raise DataError(
            f"gain must be positive and read noise not negative; found {gain:g} and "
            f"{read_noise:g}"
        )
    counts = np.rint((grey - offset) / gain + read_noise**2)
    if np.mean(counts < 0) > 0.5:
        raise DataError(
            f"most of the image lies below the offset of {offset:g} grey levels; its "
            f"median is {np.median(grey):g}"
        )
    return split_counts(np.maximum(counts, 0), 0.5, np.random.default_rng(seed))


def checkerboard_split(image: ArrayLike) -> tuple[Image, Image]:
    """Use every second pixel in y and x for one image, the pixels between for another.

    For images with unknown counts. Koho et al. (2019), with the diagonal pair of
    sub-images; the second is shifted back by half a (new) pixel in y and x. Three
    caveats: the noise of neighbouring pixels must be independent, which it is not after
    deconvolution, interpolation or on most colour cameras; detail finer than four
    original pixels is aliased and cannot be measured; and a network has seen both
    halves.

    Parameters
    ----------
    image : array-like
        (z, y, x) or (y, x).

    Returns
    -------
    first, second : ndarray
        Half the size in y and x: their pixels are twice as large.

    Raises
    ------
    DataError
        If the image is smaller than 8 pixels in y or x.
    """
    pixels = np.asarray(image, dtype=np.float64)
    if pixels.ndim < 2 or min(pixels.shape[-2:]) < 8:
        raise DataError(
            f"an image of shape {pixels.shape} is too small to be split; it needs 8 "
            "pixels in y and x"
        )
    height, width = (n // 2 * 2 for n in pixels.shape[-2:])
    first = pixels[..., 0:height:2, 0:width:2]
    second = pixels[..., 1:height:2, 1:width:2]
    shift = [0.0] * (pixels.ndim - 2) + [0.5, 0.5]
    moved = np.fft.ifftn(fourier_shift(np.fft.fftn(second), shift)).real
    return first, moved
