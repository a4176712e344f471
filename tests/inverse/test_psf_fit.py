"""A PSF adapted to an image, with notes on what was done."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan import Optics, Psf
from napari_blurgan.inverse.psf_fit import centred, fit_psf, psf_shape_for, usable
from napari_blurgan.optics.geometry import core_centre

VOXEL = (0.3, 0.1, 0.1)
OPTICS = Optics(1.2, 1.33, 520)
PSF = Psf.from_optics(OPTICS, VOXEL, (9, 15, 15))
SHAPE = (16, 32, 32)


def test_a_psf_that_fits_is_unchanged() -> None:
    found, _ = fit_psf(Psf(PSF.data, VOXEL), SHAPE, VOXEL)
    np.testing.assert_allclose(found.data, PSF.data, atol=1e-7)


def test_an_offset_and_fft_order_are_corrected() -> None:
    plain, notes = usable(PSF)
    assert plain is PSF
    assert not notes
    wrapped, words = usable(Psf(np.fft.ifftshift(PSF.data), VOXEL))
    np.testing.assert_allclose(wrapped.data, PSF.data, atol=1e-7)
    assert "FFT order" in words[0]


def test_a_shifted_psf_is_centred() -> None:
    found, note = centred(Psf(np.roll(PSF.data, (1, 0, 2), (0, 1, 2)), VOXEL))
    np.testing.assert_allclose(core_centre(found.data), (4, 7, 7), atol=0.05)
    assert note is not None
    assert "off centre" in note
    assert centred(PSF)[1] is None


def test_other_voxels_and_single_planes() -> None:
    coarse, notes = fit_psf(PSF, SHAPE, (0.3, 0.2, 0.2))
    assert coarse.voxel_size == pytest.approx((0.3, 0.2, 0.2))
    assert any("resampled" in note for note in notes)
    plane, notes = fit_psf(PSF, (32, 32), VOXEL)
    assert plane.shape[0] == 1
    assert any("middle one" in note for note in notes)


def test_a_widefield_psf_reaches_over_the_whole_stack() -> None:
    planes = 50
    deep = psf_shape_for(OPTICS, (planes, 32, 32), VOXEL)
    assert deep[0] >= 2 * planes - 1
    confocal = Optics(1.2, 1.33, 520, modality="confocal", excitation=488)
    assert psf_shape_for(confocal, (planes, 32, 32), VOXEL)[0] < deep[0]
