"""Agreement of a result with a reference: PSNR, SSIM, NRMSE and correlation.

Images are of any float or integer type, (z, y, x) or (y, x), and compared in double
precision. Restored images often differ from the reference by an irrelevant gain and
offset; figures are therefore given as they are and after `fit_intensity`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter, uniform_filter

from napari_blurgan.errors import DataError
from napari_blurgan.measure.equalization import equalized

__all__ = [
    "Fidelity",
    "IntensityFit",
    "PaperScores",
    "compare",
    "correlation",
    "fit_intensity",
    "nrmse",
    "paper_scores",
    "psnr",
    "ssim",
]

Image = NDArray[np.float64]
Window = Literal["uniform", "gaussian"]

UNIFORM_SIZE = 7
GAUSSIAN_SIGMA = 1.5
GAUSSIAN_SIZE = 11


@dataclass(frozen=True)
class IntensityFit:
    """The least-squares map ``slope * result + offset`` onto a reference.

    Parameters
    ----------
    image : ndarray
        The result, mapped.
    slope, offset : float
        Of the map; the slope is never negative.
    """

    image: Image
    slope: float
    offset: float


@dataclass(frozen=True)
class Fidelity:
    """All figures of one comparison.

    Parameters
    ----------
    psnr, ssim, nrmse : float
        As the images are.
    psnr_fitted, ssim_fitted, nrmse_fitted : float
        After the least-squares intensity fit.
    correlation : float
        Pearson's; blind to gain and offset. Zero for a constant image.
    slope, offset : float
        Of the fit.
    data_range : float
        What PSNR and SSIM count as the peak.
    psnr_black, psnr_flat : float
        Controls: what an image of zeros scores, and what the best constant image
        scores. A result has to beat the first in `psnr` and the second in
        `psnr_fitted` before it means anything.
    """

    psnr: float
    ssim: float
    nrmse: float
    psnr_fitted: float
    ssim_fitted: float
    nrmse_fitted: float
    correlation: float
    slope: float
    offset: float
    data_range: float
    psnr_black: float
    psnr_flat: float


@dataclass(frozen=True)
class PaperScores:
    """PSNR and SSIM as literally described in Lim et al. (2020), see `paper_scores`.

    Parameters
    ----------
    psnr, ssim : float
        Of the images as they are.
    psnr_equalized, ssim_equalized : float
        After adaptive histogram equalisation of both, plane by plane.
    """

    psnr: float
    ssim: float
    psnr_equalized: float
    ssim_equalized: float


def compare(
    result: ArrayLike, reference: ArrayLike, data_range: float | None = None
) -> Fidelity:
    """Compare a result with a reference by all figures together.

    Parameters
    ----------
    result, reference : array-like
        (z, y, x) or (y, x), of one shape.
    data_range : float, optional
        What counts as the peak; maximum minus minimum of the reference by default.

    Returns
    -------
    Fidelity
        Figures as the images are and after the intensity fit, and the controls.

    Raises
    ------
    DataError
        If the shapes differ, a value is not finite or the reference is constant.
    """
    x, y = _pair(result, reference)
    peak = _peak(y, data_range)
    fit = fit_intensity(x, y)
    return Fidelity(
        psnr=psnr(x, y, peak),
        ssim=ssim(x, y, peak),
        nrmse=nrmse(x, y),
        psnr_fitted=psnr(fit.image, y, peak),
        ssim_fitted=ssim(fit.image, y, peak),
        nrmse_fitted=nrmse(fit.image, y),
        correlation=correlation(x, y),
        slope=fit.slope,
        offset=fit.offset,
        data_range=peak,
        psnr_black=psnr(np.zeros_like(y), y, peak),
        psnr_flat=psnr(np.full_like(y, y.mean()), y, peak),
    )


def psnr(
    result: ArrayLike, reference: ArrayLike, data_range: float | None = None
) -> float:
    """Return the peak signal-to-noise ratio, 10 log₁₀(range² / mean squared error).

    Parameters
    ----------
    result, reference : array-like
        Of one shape.
    data_range : float, optional
        The peak; maximum minus minimum of the reference by default.

    Returns
    -------
    float
        Decibels; infinite for equal images.

    Raises
    ------
    DataError
        If the shapes differ, a value is not finite or the reference is constant.
    """
    x, y = _pair(result, reference)
    error = float(np.mean((x - y) ** 2))
    peak = _peak(y, data_range)
    return float("inf") if error == 0 else float(10 * np.log10(peak**2 / error))


def nrmse(result: ArrayLike, reference: ArrayLike) -> float:
    """Return the root mean squared error over the root mean square of the reference.

    Raises
    ------
    DataError
        If the shapes differ, a value is not finite or the reference is zero.
    """
    x, y = _pair(result, reference)
    scale = float(np.linalg.norm(y))
    if scale == 0:
        raise DataError("the reference is zero everywhere; there is nothing to compare")
    return float(np.linalg.norm(x - y)) / scale


def correlation(result: ArrayLike, reference: ArrayLike) -> float:
    """Return Pearson's correlation coefficient; zero if an image is constant.

    Raises
    ------
    DataError
        If the shapes differ or a value is not finite.
    """
    x, y = _pair(result, reference)
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(np.sum(x * y)) / scale if scale > 0 else 0.0


def fit_intensity(result: ArrayLike, reference: ArrayLike) -> IntensityFit:
    """Map a result onto a reference by the best gain and offset.

    Least squares of ``slope * result + offset`` over all voxels. The slope is never
    negative: an image with inverted contrast is wrong, not rescaled, and is mapped to
    the mean of the reference.

    Parameters
    ----------
    result, reference : array-like
        Of one shape.

    Returns
    -------
    IntensityFit
        The mapped image, slope and offset.

    Raises
    ------
    DataError
        If the shapes differ or a value is not finite.
    """
    x, y = _pair(result, reference)
    centred = x - x.mean()
    power = float(np.sum(centred**2))
    # Rounding alone gives a constant image some power.
    constant = power <= x.size * (1e-12 * float(np.abs(x).max(initial=0.0))) ** 2
    slope = 0.0 if constant else max(float(np.sum(centred * y)) / power, 0.0)
    offset = float(y.mean() - slope * x.mean())
    return IntensityFit(slope * x + offset, slope, offset)


def ssim(
    result: ArrayLike,
    reference: ArrayLike,
    data_range: float | None = None,
    window: Window = "uniform",
) -> float:
    """Return the mean structural similarity, in 2D or 3D.

    Wang et al. (2004), with K₁ = 0.01, K₂ = 0.03; volumes are compared in 3D windows.
    The mean excludes a border of half a window. Equals scikit-image's
    ``structural_similarity``: "uniform" as by default (7 voxels a side, sample
    covariance), "gaussian" with ``gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False`` (11 voxels a side). Along an axis shorter than the
    window, as z may be, the window is the largest odd length that fits.

    Parameters
    ----------
    result, reference : array-like
        (z, y, x) or (y, x), of one shape.
    data_range : float, optional
        The peak; maximum minus minimum of the reference by default.
    window : {"uniform", "gaussian"}
        Weights of the local means.

    Returns
    -------
    float
        At most one, which equal images reach.

    Raises
    ------
    DataError
        If the shapes differ, a value is not finite or the reference is constant.
    """
    x, y = _pair(result, reference)
    peak = _peak(y, data_range)
    mean, sizes = _local_mean(window, x.shape)
    points = np.prod(sizes)
    correct = points / (points - 1) if window == "uniform" and points > 1 else 1.0
    mean_x, mean_y = mean(x), mean(y)
    var_x = correct * (mean(x * x) - mean_x**2)
    var_y = correct * (mean(y * y) - mean_y**2)
    covariance = correct * (mean(x * y) - mean_x * mean_y)
    similarity = _similarity(mean_x, mean_y, var_x, var_y, covariance, peak)
    inner = tuple(
        slice(w // 2, n - w // 2) for w, n in zip(sizes, x.shape, strict=True)
    )
    return float(similarity[inner].mean())


def paper_scores(result: ArrayLike, reference: ArrayLike) -> PaperScores:
    """Score a volume according to the text of Lim et al. (2020), taken literally.

    Each volume is scaled to [0, 1] by its own minimum and maximum, the intensities used
    in the paper; MAX is 1. The squared error is averaged over all planes; SSIM is the
    printed formula, with one mean, variance and covariance for each xy plane, averaged
    over the planes. The paper shows its results after adaptive histogram equalisation,
    so both are returned before and after it (`equalized`).

    Parameters
    ----------
    result, reference : array-like
        (z, y, x) or (y, x), of one shape.

    Returns
    -------
    PaperScores
        PSNR in decibels and SSIM, as the images are and equalised.

    Raises
    ------
    DataError
        If the shapes differ, a value is not finite or an image is constant.
    """
    x, y = (_unit_range(image) for image in _pair(result, reference))
    level_x, level_y = equalized(x), equalized(y)
    return PaperScores(
        psnr(x, y, 1.0),
        _planewise_similarity(x, y),
        psnr(level_x, level_y, 1.0),
        _planewise_similarity(level_x, level_y),
    )


def _planewise_similarity(x: Image, y: Image) -> float:
    """Return the printed SSIM of images in [0, 1], averaged over the planes."""
    axes = (-2, -1)
    mean_x, mean_y = x.mean(axes, keepdims=True), y.mean(axes, keepdims=True)
    covariance = ((x - mean_x) * (y - mean_y)).mean(axes, keepdims=True)
    var_x, var_y = x.var(axes, keepdims=True), y.var(axes, keepdims=True)
    found = _similarity(mean_x, mean_y, var_x, var_y, covariance, 1.0)
    return float(found.mean())


def _similarity(
    mean_x: Image,
    mean_y: Image,
    var_x: Image,
    var_y: Image,
    covariance: Image,
    peak: float,
) -> Image:
    """Return equation 13 of Wang et al. (2004)."""
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (var_x + var_y + c2)
    return luminance * structure


def _local_mean(
    window: Window, shape: tuple[int, ...]
) -> tuple[Callable[[Image], Image], tuple[int, ...]]:
    """Return the filter and its odd sizes along the axes."""
    full = UNIFORM_SIZE if window == "uniform" else GAUSSIAN_SIZE
    sizes = tuple(min(full, n - (n + 1) % 2) for n in shape)
    if window == "uniform":
        return lambda image: uniform_filter(image, sizes), sizes
    radii = tuple(size // 2 for size in sizes)
    return lambda image: gaussian_filter(image, GAUSSIAN_SIGMA, radius=radii), sizes


def _unit_range(image: Image) -> Image:
    low, high = float(image.min()), float(image.max())
    if low == high:
        raise DataError(f"the image is constant ({low:g}); it cannot be scaled")
    return (image - low) / (high - low)


def _pair(result: ArrayLike, reference: ArrayLike) -> tuple[Image, Image]:
    x = np.asarray(result, dtype=np.float64)
    y = np.asarray(reference, dtype=np.float64)
    if x.shape != y.shape:
        raise DataError(
            f"the result has the shape {x.shape}, the reference {y.shape}; "
            "they must be equal to be compared"
        )
    if x.size == 0:
        raise DataError("the images are empty")
    for name, image in (("result", x), ("reference", y)):
        if not np.isfinite(image).all():
            raise DataError(f"the {name} contains NaN or infinite values")
    return x, y


def _peak(reference: Image, data_range: float | None) -> float:
    peak = float(np.ptp(reference)) if data_range is None else data_range
    if not 0 < peak < np.inf:
        raise DataError(
            f"the data range is {peak:g}; the reference is constant, or give a "
            "positive range"
        )
    return peak
