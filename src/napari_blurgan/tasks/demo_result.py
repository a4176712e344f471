"""Results of the demonstration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.optics.psf import Psf

__all__ = ["DemoResult", "Rival", "Shift", "Volume"]

Volume = NDArray[np.float32]
Shift = tuple[int, int, int]


@dataclass(frozen=True)
class Rival:
    """Richardson-Lucy, stopped where the ground truth shows it to be best.

    Parameters
    ----------
    image : ndarray
        (z, y, x) in grey levels.
    iterations : int
        Of the accelerated form.
    seconds : float
        Of CPU time.
    """

    image: Volume
    iterations: int
    seconds: float


@dataclass(frozen=True)
class DemoResult:
    """Images and figures, for the part of the field not used for training.

    Parameters
    ----------
    blurred, restored, confocal : ndarray
        (z, y, x) in grey levels.
    rival : Rival
        Richardson-Lucy with the PSF of the same optics.
    psf : Psf
        The blur: computed from the optics, and kept.
    history : list of dict
        One row a training step.
    agreement : dict of str to float
        Correlation with the confocal image: "widefield", "richardson-lucy", "trained".
    shift : tuple of int
        (z, y, x) in voxels, by which the widefield image is off the confocal one; all
        are compared at this shift, which takes no part in the training.
    """

    blurred: Volume
    restored: Volume
    confocal: Volume
    rival: Rival
    psf: Psf
    history: list[dict[str, float]]
    agreement: dict[str, float]
    shift: Shift
