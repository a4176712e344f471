"""`Deconvolution`: what every method returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.optics.psf import Psf

__all__ = ["Deconvolution"]


@dataclass(frozen=True, eq=False)
class Deconvolution:
    """A deconvolved image, and how it came about.

    Attributes
    ----------
    image : ndarray of float32
        In the shape and units of what was deconvolved, its background removed.
    psf : Psf
        As it was used: centred, resampled, cropped, or estimated.
    iterations : int
        Updates that the image has had; 0 for a method without iterations.
    reason : str
        Why it ended there.
    criterion : str
        What `trace` holds; empty without a stopping rule.
    trace : tuple of float
        The criterion of the start and of each estimate that was judged.
    notes : tuple of str
        What was done to the PSF and found in the image, in words.
    """

    image: NDArray[np.float32]
    psf: Psf
    iterations: int = 0
    reason: str = ""
    criterion: str = ""
    trace: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
