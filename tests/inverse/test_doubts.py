"""An array that does not show one point is told apart from a PSF."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_blurgan import Optics, Psf, deconvolve
from napari_blurgan.inverse.doubts import doubt
from napari_blurgan.optics.models import MODELS, theoretical_psf

VOXEL = (0.3, 0.1, 0.1)
RNG = np.random.default_rng(0)


def bead(*places: tuple[int, int, int]) -> np.ndarray:
    points = np.zeros((15, 31, 31))
    for place in places:
        points[place] = 1
    return gaussian_filter(points, (2, 1.5, 1.5))


@pytest.mark.filterwarnings("ignore:Born")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("na", [0.5, 0.8, 1.2])
def test_theoretical_psfs_are_not_doubted(model: str, na: float) -> None:
    psf = theoretical_psf(Optics(na, 1.33, 520), (25, 41, 41), VOXEL, model)
    assert doubt(psf.data) is None


def test_neither_noise_nor_aberrations_are_spots() -> None:
    assert doubt(RNG.poisson(bead((7, 15, 15)) * 3e3).astype(float)) is None
    deep = Optics(1.2, 1.515, 520, ns=1.33, depth=20.0)
    assert doubt(Psf.from_optics(deep, VOXEL, (41, 41, 41)).data) is None
    assert doubt(np.ones((1, 1, 1))) is None


def test_a_second_bead_and_a_second_channel_are_said() -> None:
    assert "2 spots" in str(doubt(bead((7, 10, 10), (7, 20, 20))))
    assert "3 spots" in str(doubt(bead((4, 5, 5), (7, 15, 15), (9, 25, 8))))


def test_equal_values_are_said() -> None:
    assert "all 27 values of the PSF are equal" in str(doubt(np.ones((3, 3, 3))))


def test_a_method_notes_it() -> None:
    image = RNG.poisson(50, (15, 32, 32)).astype(np.float32)
    notes = deconvolve(image, bead((7, 10, 10), (7, 20, 20)), iterations=1).notes
    assert any("2 spots" in note for note in notes)
    notes = deconvolve(image, bead((7, 15, 15)), iterations=1).notes
    assert not any("spots" in note for note in notes)


def test_noise_is_told_without_counting_all_of_it() -> None:
    noise = np.random.default_rng(0).random((65, 65, 65)) ** 8
    assert "at least 10 spots" in str(doubt(noise))
