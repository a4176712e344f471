"""Diffraction integrals over the pupil."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import j1

from napari_blurgan import Optics
from napari_blurgan.optics.diffraction.integrals import (
    born_wolf_intensity,
    focal_range,
    gibson_lanni_intensity,
    vectorial_intensity,
)

LOW = Optics(0.3, 1.0, 500, ns=1.0, ng=1.0)
R = np.linspace(1e-6, 3, 60)
Z = np.zeros(1)


def scaled(values: np.ndarray) -> np.ndarray:
    return np.asarray(values / values.max())


def test_born_and_wolf_is_an_airy_disc_in_focus() -> None:
    v = 2 * np.pi * 0.3 * R / 0.5
    airy = (2 * j1(v) / v) ** 2
    found = scaled(born_wolf_intensity(LOW, 0.5, Z, R)[0])
    np.testing.assert_allclose(found, airy, atol=1e-5)


@pytest.mark.parametrize("model", [gibson_lanni_intensity, vectorial_intensity])
def test_at_a_low_aperture_all_models_agree(model: object) -> None:
    found = scaled(model(LOW, 0.5, Z, R)[0])
    expected = scaled(born_wolf_intensity(LOW, 0.5, Z, R)[0])
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_the_vectorial_spot_is_wider_at_a_high_aperture() -> None:
    high = Optics(1.4, 1.515, 500)
    r = np.linspace(0, 0.3, 60)
    vector, scalar = (
        scaled(f(high, 0.5, Z, r)[0])
        for f in (vectorial_intensity, gibson_lanni_intensity)
    )
    assert vector[20:40].sum() > scalar[20:40].sum()


def test_without_aberration_all_rays_meet() -> None:
    first, last = focal_range(LOW)
    assert first == pytest.approx(last, abs=1e-6)
    deep = Optics(1.4, 1.515, 500, ns=1.33, depth=5.0)
    first, last = focal_range(deep)
    assert last - first > 1
