"""Light from beyond the reach of an image."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan import Optics, Psf
from napari_blurgan.inverse.far_light import cone_of, folded, light_within, wrapped

OPTICS = Optics(1.2, 1.33, 520)
VOXEL = (0.3, 0.1, 0.1)
DEEP = Psf.from_optics(OPTICS, VOXEL, (21, 21, 21))


def test_folding_conserves_the_light() -> None:
    next_to = 2  # planes within 0.5 µm
    for planes in (3, 5, 11):
        found = folded(DEEP, planes)
        assert found.shape[0] == min(21, 2 * (planes + next_to) + 1)
        assert found.data.sum() == pytest.approx(DEEP.data.sum(), rel=1e-5)


def test_the_core_is_not_changed_by_folding() -> None:
    found = folded(DEEP, 6)
    middle = found.shape[0] // 2
    np.testing.assert_allclose(found.data[middle], DEEP.data[10], rtol=1e-5)


def test_a_larger_image_catches_more_light() -> None:
    shares = [light_within(DEEP, (n, n, n)) for n in (4, 8, 16, 21)]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1 + 1e-6


def test_only_a_widefield_psf_of_known_optics_has_a_cone() -> None:
    assert cone_of(DEEP) is not None
    assert cone_of(Psf(DEEP.data, VOXEL)) is None


def test_wrapping_conserves_the_light() -> None:
    found = wrapped(DEEP, (7, 9, 11))
    assert all(k <= n for k, n in zip(found.shape, (7, 9, 11), strict=True))
    assert found.data.sum() == pytest.approx(DEEP.data.sum(), rel=1e-5)
