"""PSFs in FFT order."""

from __future__ import annotations

import numpy as np

from napari_blurgan.optics.order import unwrapped


def gaussian(shape: tuple[int, ...]) -> np.ndarray:
    grids = np.meshgrid(*(np.arange(n) - n // 2 for n in shape), indexing="ij")
    return np.exp(-sum(g.astype(float) ** 2 for g in grids) / 4)


def test_a_psf_in_fft_order_is_put_in_order() -> None:
    data = gaussian((9, 12, 15))
    wrapped = np.fft.ifftshift(data)
    found, axes = unwrapped(wrapped)
    np.testing.assert_array_equal(found, data)
    assert axes == (0, 1, 2)


def test_single_axes_are_recognised() -> None:
    data = gaussian((9, 12, 15))
    found, axes = unwrapped(np.fft.ifftshift(data, axes=0))
    np.testing.assert_array_equal(found, data)
    assert axes == (0,)


def test_a_psf_in_order_is_unchanged() -> None:
    data = gaussian((9, 12, 15))
    found, axes = unwrapped(data)
    np.testing.assert_array_equal(found, data)
    assert axes == ()


def test_a_psf_that_is_cut_off_at_its_peak_is_unchanged() -> None:
    data = gaussian((9, 12, 15))[4:]
    assert unwrapped(data)[1] == ()
