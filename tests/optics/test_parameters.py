"""`Optics`: the numbers of a microscope."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan import Optics
from napari_blurgan.errors import OpticsError
from napari_blurgan.optics.diffraction.parameters import support_shape

OIL = Optics(1.4, 1.515, 500)


def test_distances_of_the_focus() -> None:
    assert OIL.airy_radius == pytest.approx(0.61 * 0.5 / 1.4)
    assert OIL.axial_period == pytest.approx(0.5 / (1.515 - np.sqrt(1.515**2 - 1.4**2)))
    axial, lateral = OIL.nyquist
    assert lateral == pytest.approx(0.5 / (4 * 1.4))
    assert axial == pytest.approx(OIL.axial_period / 2)


def test_a_confocal_microscope_needs_finer_sampling() -> None:
    confocal = Optics(1.4, 1.515, 500, modality="confocal", excitation=488)
    assert confocal.nyquist[1] < OIL.nyquist[1]


def test_the_support_grows_with_finer_voxels() -> None:
    coarse, fine = (support_shape(OIL, (v, v, v)) for v in (0.2, 0.1))
    assert all(n % 2 for n in (*coarse, *fine))
    assert all(a < b for a, b in zip(coarse, fine, strict=True))


@pytest.mark.parametrize(
    "numbers",
    [(1.6, 1.515, 500), (0, 1.515, 500), (1.2, 0.9, 500), (1.2, 1.33, 0.52)],
    ids=["aperture", "none", "index", "micrometres"],
)
def test_impossible_numbers_are_refused(numbers: tuple[float, ...]) -> None:
    with pytest.raises(OpticsError):
        Optics(*numbers)


def test_what_a_modality_needs_must_be_given() -> None:
    for modality in ("confocal", "lightsheet"):
        with pytest.raises(OpticsError, match="needs"):
            Optics(1.2, 1.33, 500, modality=modality)
