"""What a type of microscope detects of a point."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan import Optics
from napari_blurgan.optics.diffraction.integrals import gibson_lanni_intensity
from napari_blurgan.optics.diffraction.modality import (
    best_focus,
    detected,
    radial_grid,
)

Z = np.linspace(-1, 1, 41)
WIDE = Optics(1.2, 1.33, 520, ns=1.33, ng=1.33)


def test_without_aberration_the_focus_is_at_no_travel() -> None:
    assert best_focus(gibson_lanni_intensity, WIDE) == pytest.approx(0, abs=0.01)


def test_a_confocal_microscope_sees_a_thinner_section() -> None:
    confocal = Optics(
        1.2, 1.33, 520, ns=1.33, ng=1.33, modality="confocal", excitation=488
    )
    radii = radial_grid(WIDE, 1.0)
    axis = [
        detected(gibson_lanni_intensity, optics, 0.0, Z, radii)[:, 0]
        for optics in (WIDE, confocal)
    ]
    widths = [np.count_nonzero(a > a.max() / 2) for a in axis]
    assert widths[1] < widths[0]


def test_radii_cover_what_is_asked_for() -> None:
    radii = radial_grid(WIDE, 2.0)
    assert radii[0] == 0
    assert radii[-1] >= 2.0
    assert np.diff(radii).max() < WIDE.airy_radius / 2
