"""How far a tomogram is from the truth, where nothing was measured and elsewhere."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from napari_blurgan.optics.phantoms.projections import SIDE, TILT


def missing_error(made: Tensor, truth: Tensor) -> tuple[float, float]:
    """Return the relative error of a spectrum: where nothing is measured, elsewhere.

    Parameters
    ----------
    made, truth : Tensor
        (n, y, z, x).
    """
    spectrum = torch.fft.fft2(truth)
    error = torch.fft.fft2(made) - spectrum
    kz, kx = torch.meshgrid(*2 * [torch.fft.fftfreq(SIDE)], indexing="ij")
    # A projection at an angle is the line of the spectrum at a right angle to it.
    missing = kz.abs() > math.tan(math.radians(TILT)) * kx.abs()
    missing[0, 0] = False
    disc = torch.hypot(kz, kx) < 0.5
    return tuple(  # type: ignore[return-value]
        float((error[..., m].abs().square().sum() / _power(spectrum[..., m])).sqrt())
        for m in (missing & disc, ~missing & disc)
    )


def _power(spectrum: Tensor) -> Tensor:
    return spectrum.abs().square().sum()
