"""Parallel projections of toy cells, and what is reconstructed from them."""

from __future__ import annotations

import numpy as np
import torch

from napari_blurgan.optics.phantoms.projections import (
    ANGLES,
    SIDE,
    back_projected,
    cells,
    measured,
    missing_views,
    papoulis,
    projections,
)

SEEN = [a for a, seen in zip(ANGLES, measured(), strict=True) if seen]


def error(made: torch.Tensor, truth: torch.Tensor) -> float:
    return float((made - truth).norm() / truth.norm())


def test_a_projection_is_a_sum_along_lines() -> None:
    cell = cells(1, 0)
    views = projections(cell, [0, 90, -90])
    assert torch.allclose(views[:, 0], cell.sum(-2), atol=1e-4)
    assert torch.allclose(views[:, 1].flip(-1), views[:, 2], atol=1e-4)
    assert np.allclose(*(np.sort(v[0].sum(0)) for v in (views[:, 1], cell.sum(-1))))


def test_three_tenths_of_the_angles_are_missing() -> None:
    assert len(SEEN) / len(ANGLES) == 0.7
    assert max(map(abs, SEEN)) == 60


def test_projections_at_all_angles_are_enough_and_those_measured_are_not() -> None:
    truth = cells(1, 1)
    every, some = projections(truth), projections(truth, SEEN)
    assert error(papoulis(every, ANGLES, 5), truth) < 0.02
    assert error(back_projected(some, SEEN), truth) > 0.3


def test_rounds_come_nearer_and_nearer() -> None:
    truth = cells(1, 2)
    views = projections(truth, SEEN)
    made = papoulis(views, SEEN, 0)
    errors = [error(made, truth)]
    for _ in range(3):
        made = papoulis(views, SEEN, 20, made)
        errors.append(error(made, truth))
    assert errors == sorted(errors, reverse=True)
    assert made.min() >= 0


def test_bad_and_good_projections_are_of_other_cells() -> None:
    bad, good = missing_views(2, 3, rounds=1)
    assert bad.shape == (2 * (len(ANGLES) - len(SEEN)), SIDE, SIDE)
    assert good.shape == (2 * len(SEEN), SIDE, SIDE)
    np.testing.assert_array_equal(
        good, projections(cells(4, 3)[2:], SEEN).flatten(0, 1)
    )
