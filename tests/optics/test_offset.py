"""The level that a measured PSF stands on is found; PSFs without one are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan.optics.models import MODELS, Optics, theoretical_psf
from napari_blurgan.optics.offset import without_offset

pytestmark = pytest.mark.slow

OIL, AIR = Optics(1.4, 1.515, 520), Optics(0.5, 1.0, 600)
DEEP = Optics(1.2, 1.33, 520, ns=1.38, depth=20)
CONFOCAL = Optics(1.4, 1.515, 520, "confocal", excitation=488)


SHAPES = [(9, 15, 15), (21, 23, 23), (41, 63, 63), (81, 21, 21)]


def voxel(optics: Optics) -> tuple[float, float, float]:
    return (0.3, 0.1, 0.1) if optics.na > 1 else (2.0, 0.3, 0.3)


@pytest.mark.parametrize(
    "shape", [(9, 15, 15), (21, 23, 23), (41, 63, 63), (81, 21, 21)]
)
@pytest.mark.parametrize("optics", [OIL, AIR, DEEP, CONFOCAL])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.filterwarnings("ignore")
def test_theoretical_psfs_stand_on_none(
    model: str, optics: Optics, shape: tuple[int, int, int]
) -> None:
    data = theoretical_psf(optics, shape, voxel(optics), model).data
    for psf in (data, data[shape[0] // 2][None]):
        found, share = without_offset(psf)
        assert found is psf
        assert share == 0


@pytest.mark.parametrize("peak", [100, 4000])
@pytest.mark.parametrize("optics", [OIL, AIR, DEEP, CONFOCAL])
def test_nor_do_noisy_ones(optics: Optics, peak: int) -> None:
    data = theoretical_psf(optics, (21, 31, 31), voxel(optics)).data
    noisy = np.random.default_rng(0).poisson(data / data.max() * peak)
    for psf in (noisy, noisy[10][None]):
        assert without_offset(psf)[1] == 0


@pytest.mark.parametrize("level", [20, 100, 1000])
@pytest.mark.parametrize("shape", [(31, 31, 31), (1, 31, 30), (30, 41)])
def test_an_offset_is_found_and_taken_off(shape: tuple[int, ...], level: int) -> None:
    axes = [np.arange(n) - n // 2 for n in shape]
    grids = np.meshgrid(*axes, indexing="ij")
    bead = 4000 * np.exp(-0.5 * sum((g / 1.6) ** 2 for g in grids))
    measured = np.random.default_rng(0).poisson(bead + level)
    found, share = without_offset(measured)
    assert share == pytest.approx(level * bead.size / measured.sum(), rel=0.1)
    assert found.min() == 0
    assert found.sum() == pytest.approx(bead.sum(), rel=0.1)
    assert np.corrcoef(found.ravel(), bead.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("optics", [OIL, DEEP, CONFOCAL])
def test_haze_around_the_bead_does_not_hide_it(optics: Optics) -> None:
    data = theoretical_psf(optics, (41, 63, 63), voxel(optics)).data
    measured = np.random.default_rng(0).poisson(4000 * data / data.max() + 100)
    found, share = without_offset(measured)
    assert share > 0.5
    assert np.corrcoef(found.ravel(), data.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("values", [np.ones((3, 3, 3)), np.ones((15, 15, 15))])
def test_a_box_is_a_psf(values: np.ndarray) -> None:
    assert without_offset(values)[0] is values
