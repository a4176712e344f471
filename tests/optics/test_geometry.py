"""Moving, cropping and resampling about the centre."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan.errors import OpticsError
from napari_blurgan.optics import geometry

RNG = np.random.default_rng(0)


def blob(centre: tuple[float, float, float]) -> np.ndarray:
    grid = np.indices((15, 17, 19)).astype(float)
    offsets = grid - np.reshape(centre, (3, 1, 1, 1))
    return np.exp(-(offsets**2).sum(0) / 6)


def test_the_core_of_a_peak_is_found_between_voxels() -> None:
    found = geometry.core_centre(blob((7.3, 8.0, 9.4)))
    np.testing.assert_allclose(found, (7.3, 8.0, 9.4), atol=0.03)


def test_a_core_is_moved_to_the_centre() -> None:
    moved, shift = geometry.centre_core(blob((8.0, 8.0, 11.0)))
    np.testing.assert_allclose(shift, (-1, 0, -2), atol=0.03)
    np.testing.assert_allclose(geometry.core_centre(moved), (7, 8, 9), atol=0.05)


def test_fitting_keeps_the_centre() -> None:
    data = RNG.random((5, 6, 7))
    larger = geometry.fit(data, (9, 9, 9))
    np.testing.assert_array_equal(geometry.fit(larger, (5, 6, 7)), data)
    assert larger[4, 4, 4] == data[2, 3, 3]


def test_resampling_conserves_the_sum() -> None:
    data = blob((7.0, 8.0, 9.0))
    coarse = geometry.resample(data, (0.1, 0.1, 0.1), (0.2, 0.2, 0.2))
    assert coarse.sum() == pytest.approx(data.sum(), rel=1e-3)
    np.testing.assert_allclose(geometry.centroid(coarse), 0, atol=0.05)


def test_a_support_contains_what_it_promises() -> None:
    data = blob((7.0, 8.0, 9.0))
    box = geometry.support(data, 0.9)
    assert all(n % 2 for n in box)
    assert geometry.fit(data, box).sum() >= 0.9 * data.sum()


def test_the_rotation_average_is_symmetric() -> None:
    found = geometry.rotation_average(RNG.random((3, 9, 9)), (0.1, 0.1))
    np.testing.assert_allclose(found, found.swapaxes(1, 2), atol=1e-10)
    np.testing.assert_allclose(found, found[:, ::-1, ::-1], atol=1e-10)


def test_impossible_sizes_are_refused() -> None:
    for wrong in ((0.1, 0.1), (0.1, 0.1, 0), (0.1, 0.1, float("nan"))):
        with pytest.raises(OpticsError):
            geometry.checked_voxel_size(wrong)
    with pytest.raises(OpticsError):
        geometry.checked_shape((3, 3))
