"""Voxels of a phantom in micrometres."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from napari_blurgan.errors import BlurGANError
from napari_blurgan.optics.phantoms._grid import (
    Grid,
    RandomField,
    block_mean,
    check_positive,
    coverage,
    draw_body,
)

GRID = Grid.of((10, 20, 20), (0.3, 0.1, 0.1))


def ball(offsets: Sequence[np.ndarray], radius: float = 0.5) -> np.ndarray:
    z, y, x = offsets
    return np.asarray(np.sqrt(z**2 + y**2 + x**2) - radius)


def test_sizes_are_in_micrometres() -> None:
    np.testing.assert_allclose(GRID.extent, (3, 2, 2))
    assert GRID.volume() == pytest.approx(12)
    assert GRID.ball(1.0) == pytest.approx(4 / 3 * np.pi)


def test_one_plane_is_two_dimensional() -> None:
    flat = Grid.of((1, 20, 20), (0.3, 0.1, 0.1))
    assert flat.ndim == 2
    assert flat.ball(1.0) == pytest.approx(np.pi)


def test_a_surface_covers_half_a_voxel() -> None:
    np.testing.assert_allclose(coverage(np.array([-1.0, 0, 1.0]), 0.1), (1, 0.5, 0))


def test_a_body_has_its_volume() -> None:
    image = np.zeros(GRID.shape)
    draw_body(
        image,
        GRID,
        np.array([1.5, 1.0, 1.0]),
        0.6,
        0.5,
        lambda offsets, edge: coverage(ball(offsets), edge),
    )
    assert image.sum() * 0.003 == pytest.approx(GRID.ball(0.5), rel=0.05)


def test_blocks_are_averaged() -> None:
    values = np.arange(16.0).reshape(4, 4)
    np.testing.assert_allclose(block_mean(values, (2, 2)), [[2.5, 4.5], [10.5, 12.5]])


def test_a_random_field_is_the_same_on_a_finer_grid() -> None:
    field = RandomField.draw(np.random.default_rng(0), 3, 0.5)
    coarse, fine = (
        field(GRID.axes()),
        field(Grid.of((10, 40, 40), (0.3, 0.05, 0.05)).axes()),
    )
    np.testing.assert_allclose(fine[:, ::2, ::2], coarse, atol=1e-6)


def test_sizes_must_be_positive() -> None:
    with pytest.raises(BlurGANError, match="radius"):
        check_positive(radius=0.0)
