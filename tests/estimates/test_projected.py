"""The error of a restoration, weighted by the transfer function."""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from napari_blurgan.estimates.projected import ProjectedError, window
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel

POINT = np.zeros((9, 9, 9), np.float32)
POINT[4, 4, 4] = 1
BLUR = BlurKernel(FixedKernel(gaussian_filter(POINT, 1.5)), 1.0)
SHAPE = (16, 24, 24)


def test_a_window_fades_towards_every_side() -> None:
    found = window((16, 24), 4)
    assert float(found[8, 12]) == 1
    assert float(found[0].max()) < 0.5
    assert float(found[:, -1].max()) < 0.5
    assert not (window((4, 24), 4)[:, 12] < 1).any()  # too short to fade


def test_no_residual_is_no_error() -> None:
    error = ProjectedError(BLUR, SHAPE, 0.01)
    assert float(error(torch.zeros(1, 1, *SHAPE))) == 0


def test_it_estimates_the_error_of_the_object() -> None:
    """A blurred difference counts nearly as the difference itself."""
    error = ProjectedError(BLUR, (32, 32, 32), 1e-3)
    spots = np.zeros((32, 32, 32), np.float32)
    spots[16, 16, 16], spots[14, 17, 18] = 1, -1
    difference = torch.from_numpy(gaussian_filter(spots, 2.0))[None, None]
    blurred = BLUR(difference, "zero")
    raw = float((blurred**2).mean())
    projected, true = float(error(blurred)), float((difference**2).mean())
    assert abs(projected - true) < abs(raw - true)
