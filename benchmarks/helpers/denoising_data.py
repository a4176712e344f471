"""Noisy images with something to judge a denoiser by: phantoms and real images.

Phantoms are drawn by the package, smoothed as a microscope would and exposed with 30
photons at the brightest and read noise of 0.9 photons (3 % of the brightest). Real are
one frame of each stain of the FMD data set against the mean of fifty (Zhang et al.
2019), and the even planes of a light-sheet stack, 50 nm apart, against the odd ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.restoration import denoise_nl_means

from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.reading.images import read_stack

__all__ = [
    "PHANTOMS",
    "Image",
    "Pictures",
    "alternation",
    "best_gaussian",
    "best_non_local_means",
    "exposed",
    "phantoms",
    "psnr",
    "real_images",
    "striped",
]

Image = NDArray[np.float32]

SIDE, PIXEL, SMOOTHING = 64, 0.064, 1.4
PEAK, READ_NOISE, GAIN, OFFSET = 30.0, 0.9, 2.0, 100.0
STRIPES = 0.2
"""Of the brightest: standard deviation of the noise along rows."""

# Settings were chosen on the first two, proved on the other two.
PHANTOMS: dict[str, dict[str, float]] = {
    "microtubules": {"density": 1.2},
    "vesicles": {"density": 1.2},
    "membranes": {"density": 2.5, "thickness": 0.2},
    "nuclei": {"diameter": 1.2, "density": 0.6},
}


@dataclass(frozen=True)
class Pictures:
    """Noisy images and what is known of them.

    Parameters
    ----------
    noisy, truth : ndarray
        (n, y, x), in the same units.
    peak : float
        The range that decibels refer to.
    """

    noisy: Image
    truth: Image
    peak: float


def phantoms(kind: str, count: int, seed: int) -> Image:
    """Return `count` images, (n, y, x), of which the brightest reach one."""
    shape, voxel = (1, SIDE, SIDE), (0.1, PIXEL, PIXEL)
    drawn = (
        phantom(kind, shape, voxel, 1000 * seed + n, **PHANTOMS[kind])[0]
        for n in range(count)
    )
    smooth = np.stack([gaussian_filter(image, SMOOTHING) for image in drawn])
    return (smooth / np.percentile(smooth, 99.9)).astype(np.float32)


def exposed(clean: Image, seed: int) -> Pictures:
    """Return a camera's images of phantoms, in grey levels."""
    rng = np.random.default_rng([seed, 7])
    photons = rng.poisson(PEAK * clean.clip(0))
    noisy = OFFSET + GAIN * (photons + rng.normal(0, READ_NOISE, clean.shape))
    truth = OFFSET + GAIN * PEAK * clean
    return Pictures(
        noisy.astype(np.float32), truth.astype(np.float32), float(GAIN * PEAK)
    )


def striped(pictures: Pictures, seed: int) -> Pictures:
    """Add noise that is correlated along rows."""
    rng = np.random.default_rng([seed, 8])
    rows = gaussian_filter(
        rng.normal(size=pictures.noisy.shape), (0, 0, 8), mode="wrap"
    )
    added = STRIPES * pictures.peak * rows / rows.std()
    noisy = (pictures.noisy + added).astype(np.float32)
    return Pictures(noisy, pictures.truth, pictures.peak)


def real_images(folder: Path) -> Iterator[tuple[str, Pictures]]:
    """Yield each real data set by its name."""
    name = "G_real/A_pairs2d/fmd_bpae_widefield_raw_mean50.ome.tif"
    frames = np.asarray(read_stack(folder / name).data, dtype=np.float32)
    for stain in range(frames.shape[1]):
        noisy, truth = frames[:, stain, None]
        yield f"FMD, stain {stain}", Pictures(noisy, truth, 255.0)
    name = "G_real/B_stacks3d/mitochondria_lightsheet_dz50nm.ome.tif"
    planes = np.asarray(read_stack(folder / name).data, dtype=np.float32)
    beside = (planes[1:-1:2] + planes[3::2]) / 2
    seen = planes[2::2][: len(beside)]
    peak = float(np.percentile(planes, 99.9) - np.percentile(planes, 0.1))
    yield "light sheet, even planes", Pictures(seen, beside, peak)


def psnr(image: Image, pictures: Pictures) -> float:
    """Return decibels, of the images as they are."""
    error = np.square(image.astype(np.float64) - pictures.truth).mean()
    return float(10 * np.log10(pictures.peak**2 / error))


def alternation(image: Image) -> float:
    """Return the mean amplitude of a checkerboard in images, (n, y, x)."""
    a, b, c, d = (image[:, i::2, j::2] for i in (0, 1) for j in (0, 1))
    return float(np.abs(a - b - c + d).mean())


def best_gaussian(pictures: Pictures) -> tuple[float, Image]:
    """Return the Gaussian filter that the truth says is the best."""
    return _best(
        pictures,
        lambda sigma: gaussian_filter(pictures.noisy, (0, sigma, sigma)),
        np.arange(0.4, 3.0, 0.1),
    )


def best_non_local_means(pictures: Pictures) -> tuple[float, Image]:
    """Return the non-local means of scikit-image that the truth says are the best."""
    return _best(
        pictures,
        lambda strength: _non_local_means(pictures, strength),
        (0.02, 0.03, 0.045, 0.065, 0.09, 0.13),
    )


def _non_local_means(pictures: Pictures, strength: float) -> Image:
    scaled = pictures.noisy / pictures.peak
    done = [
        denoise_nl_means(plane, patch_size=5, patch_distance=6, h=strength)
        for plane in scaled
    ]
    return np.stack(done) * np.float32(pictures.peak)


def _best(
    pictures: Pictures, filtered: Callable[[float], Image], strengths: object
) -> tuple[float, Image]:
    tried = [filtered(float(s)) for s in strengths]  # type: ignore[attr-defined]
    scores = [psnr(image, pictures) for image in tried]
    best = int(np.argmax(scores))
    return scores[best], tried[best]
