"""The width of the blur along z, from spectra."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from napari_blurgan import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.forward.axial_width import axial_width
from napari_blurgan.optics.phantoms import phantom

SIDE = 64
FWHM = 2.3548


def seen(structure: str, sigma: float, noise: float = 0.01) -> Stack:
    rng = np.random.default_rng(0)
    sharp = gaussian_filter(phantom(structure, (SIDE,) * 3, (0.1,) * 3, 3), 1.2)
    wide = gaussian_filter1d(sharp, sigma, axis=0) if sigma else sharp
    wide = wide / wide.max() + noise * rng.standard_normal(wide.shape)
    return Stack(wide.astype(np.float32), "ZYX", (0.1,) * 3, name="y")


@pytest.mark.parametrize("structure", ["vesicles", "membranes", "microtubules"])
@pytest.mark.parametrize("sigma", [2.0, 3.4])
def test_it_is_found_within_a_quarter(structure: str, sigma: float) -> None:
    found = axial_width([seen(structure, sigma)])
    assert found == pytest.approx(FWHM * sigma, rel=0.25)


def test_an_image_that_is_as_sharp_along_z_is_refused() -> None:
    stack = seen("vesicles", 2.0)
    upside = Stack(
        np.moveaxis(np.asarray(stack.data), 0, 2), "ZYX", (0.1,) * 3, name="side"
    )
    with pytest.raises(DataError, match="no narrower"):
        axial_width([upside])
