"""From a sharp structure to its microscope image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfftn, next_fast_len, rfftn

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.camera import Exposure

__all__ = ["blur", "margin_for", "simulate"]

Image = NDArray[np.float32]


def margin_for(psf: NDArray[np.float32], ndim: int = 3) -> tuple[int, ...]:
    """Return the voxels on each side over which outside structures affect the field."""
    return tuple(n // 2 for n in psf.shape[-ndim:])


def simulate(
    sharp: Image,
    psf: Image,
    *,
    seed: int,
    camera: Exposure | None = None,
    margin: Sequence[int] | None = None,
) -> tuple[Image, Image]:
    """Blur a structure, cut out the field of view and expose it.

    Parameters
    ----------
    sharp : ndarray
        (z, y, x) or (y, x). Draw it larger than the field by `margin` on each side,
        and light from objects outside the field falls into it, as in a microscope.
    psf : ndarray
        (z, y, x), unit sum, centred at n // 2; (1, y, x) for planes.
    seed : int
        Of the noise.
    camera : callable, optional
        ``camera(image, seed)``: a `Camera`'s ``expose``, or `paper_noise`; no noise
        by default.
    margin : sequence of int, optional
        Voxels to cut off at each side along each axis, for example
        ``margin_for(psf)``; none by default, as if all around were dark.

    Returns
    -------
    sharp, blurred : ndarray
        The field of view of both.

    Raises
    ------
    OpticsError
        If the PSF has other axes than the structure, or the margin leaves nothing.
    """
    blurred = blur(sharp, psf)
    if margin is not None:
        field = _field(sharp.shape, margin)
        sharp, blurred = sharp[field], blurred[field]
    return sharp, blurred if camera is None else camera(blurred, seed)


def blur(sharp: Image, psf: Image) -> Image:
    """Convolve by FFT; the surroundings of the array are dark.

    Parameters
    ----------
    sharp : ndarray
        (z, y, x) or (y, x).
    psf : ndarray
        Centred at n // 2; (1, y, x) for planes.

    Returns
    -------
    ndarray of float32
        Of the shape of `sharp`.

    Raises
    ------
    OpticsError
        If the PSF has other axes than the structure.
    """
    if psf.ndim == sharp.ndim + 1 and psf.shape[0] == 1:
        psf = psf[0]
    if psf.ndim != sharp.ndim:
        raise OpticsError(
            f"a structure of shape {sharp.shape} cannot be blurred with a PSF of "
            f"shape {psf.shape}"
        )
    full = [n + k - 1 for n, k in zip(sharp.shape, psf.shape, strict=True)]
    size = [next_fast_len(n, real=True) for n in full]
    spectrum = rfftn(sharp, size) * rfftn(psf, size)
    same = [
        slice(k // 2, k // 2 + n) for n, k in zip(sharp.shape, psf.shape, strict=True)
    ]
    return irfftn(spectrum, size)[tuple(same)].astype(np.float32)


def _field(shape: tuple[int, ...], margin: Sequence[int]) -> tuple[slice, ...]:
    field = tuple(slice(m, n - m) for n, m in zip(shape, margin, strict=True))
    if any(part.start >= part.stop for part in field):
        raise OpticsError(f"a margin of {tuple(margin)} leaves nothing of {shape}")
    return field
