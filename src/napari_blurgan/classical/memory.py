"""Memory of a deconvolution, and tiles for images that need more."""

from __future__ import annotations

import math
from collections.abc import Sequence

from napari_blurgan.classical.methods import Method
from napari_blurgan.devices import choose_device, free_bytes
from napari_blurgan.errors import OutOfMemoryError
from napari_blurgan.optics.fourier import fast_shape
from napari_blurgan.optics.psf import Psf

__all__ = ["peak_bytes", "tile_for"]

FREE_SHARE = 0.7


def peak_bytes(method: Method, shape: Sequence[int], psf: Psf) -> int:
    """Return the peak memory, beyond the image, of deconvolving an image whole."""
    sizes = psf.shape[-len(shape) :]
    domain = fast_shape([n + k - 1 for n, k in zip(shape, sizes, strict=True)])
    return 4 * method.volumes * math.prod(domain)


def tile_for(
    method: Method,
    shape: Sequence[int],
    psfs: Sequence[Psf],
    device: str | None = None,
    may_tile: bool = True,
    limit: int | None = None,
) -> tuple[int, ...] | None:
    """Return the largest tile that fits into memory, or None if the image does.

    The longest axis is halved repeatedly, so that thin stacks keep all planes. The
    limit is `limit` bytes, or less if less is free.

    Raises
    ------
    OutOfMemoryError
        If the image does not fit and must not be tiled, or no tile as large as the PSF
        fits.
    """
    free = FREE_SHARE * free_bytes(choose_device(device or "auto"))
    free = free if limit is None else min(free, limit)
    need = max(peak_bytes(method, shape, psf) for psf in psfs)
    if need <= free:
        return None
    if not may_tile:
        raise OutOfMemoryError(
            f"{method.title} of {tuple(shape)} voxels as a whole takes about "
            f"{need / 1e9:.1f} GB, {free / 1e9:.1f} GB are available: choose a method "
            "that works in tiles, with a fixed number of iterations"
        )
    halo = [max(sizes) - 1 for sizes in zip(*(p.shape for p in psfs), strict=True)]
    halo = halo[-len(shape) :]
    tile = list(shape)
    while max(tile) > 1:
        axis = max(range(len(tile)), key=tile.__getitem__)
        tile[axis] = -(-tile[axis] // 2)
        seen = [min(t + 2 * h, n) for t, h, n in zip(tile, halo, shape, strict=True)]
        if max(peak_bytes(method, seen, psf) for psf in psfs) <= free:
            return tuple(tile)
    raise OutOfMemoryError(
        f"not even small tiles fit {free / 1e9:.1f} GB with a PSF of {psfs[0].shape}; "
        "crop the PSF"
    )
