"""Arrays of any type as input of a deconvolution, with notes about them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_blurgan.data.exposure import cut_off
from napari_blurgan.errors import DataError

__all__ = ["as_frame", "background_note"]


def as_frame(
    image: ArrayLike, signed: bool = False
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Return an image as float32, with notes for the user.

    Negative values, which light cannot produce, are set to zero in methods for counts
    (not `signed`). Saturated and clipped pixels are used as they are, so that
    intensities there are wrong. There is a note on each.

    Raises
    ------
    DataError
        If the image is empty, not real, or holds NaN or infinite values.
    """
    pixels = np.asarray(image)
    if pixels.size == 0:
        raise DataError(f"the image is empty, its shape is {pixels.shape}")
    if pixels.dtype.kind not in "buif":
        raise DataError(f"pixels are real numbers, found {pixels.dtype}")
    with np.errstate(over="ignore"):
        frame = np.ascontiguousarray(pixels, dtype=np.float32)
    if not np.isfinite(frame).all():
        bad = int(pixels.size - np.isfinite(frame).sum())
        raise DataError(
            f"{bad} of {pixels.size} voxels are NaN, infinite or beyond float32; "
            "replace them first, for example by the median of their neighbours"
        )
    found = None if signed else _negative(frame)
    notes = cut_off(pixels)
    return frame, (found, *notes) if found else notes


def background_note(frame: NDArray[np.float32], background: float) -> str | None:
    """Return a note if a background leaves hardly any light, in grey levels.

    Parameters
    ----------
    frame : ndarray
        The image.
    background : float
        Light from elsewhere and the camera's offset together.
    """
    mean, top = float(frame.mean(dtype=np.float64)), float(frame.max())
    if background <= 0 or background <= mean:
        return None
    if background >= top:
        return (
            f"the background of {background:.5g} lies above the brightest voxel, "
            f"{top:.5g}: no light is left, and the result is dark"
        )
    return (
        f"the background of {background:.5g} lies above the mean of the image, "
        f"{mean:.5g} (its median is {float(np.median(frame)):.5g}): faint light is "
        "lost; measure the background where there is nothing"
    )


def _negative(frame: NDArray[np.float32]) -> str | None:
    share = float((frame < 0).mean())
    if share == 0:
        return None
    return (
        f"{share:.1%} of the voxels are negative and count as zero; rather deconvolve "
        "the image as it was recorded, and give its background"
    )
