"""Full width at half maximum, to a fraction of a voxel."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan.optics.width import fwhm


@pytest.mark.parametrize("shift", [0.0, 0.3, -0.5])
def test_of_a_gaussian_between_voxels(shift: float) -> None:
    sigmas = (2.0, 3.0)
    grids = [np.arange(41) - 20 - shift for _ in sigmas]
    lines = [np.exp(-(g**2) / (2 * s**2)) for g, s in zip(grids, sigmas, strict=True)]
    expected = [2 * np.sqrt(2 * np.log(2)) * s for s in sigmas]
    assert fwhm(np.multiply.outer(*lines)) == pytest.approx(expected, rel=1e-3)


def test_a_peak_that_is_cut_off_has_no_width() -> None:
    line = np.exp(-((np.arange(20) - 18.0) ** 2) / 50)
    assert np.isnan(fwhm(line)[0])
