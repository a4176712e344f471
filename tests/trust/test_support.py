"""From misfits to evidence."""

from __future__ import annotations

import torch

from napari_blurgan.trust.expectation import Levels
from napari_blurgan.trust.smoothing import Neighbourhood
from napari_blurgan.trust.support import evidence_of, expected_error, misfit

LEVELS = Levels(scale=1.0, background=0.0, slope=1.0, intercept=4.0)
AROUND = (Neighbourhood((1.0, 1.0)),)
MIDDLE = (0, 15, 15)


def spot(light: float) -> torch.Tensor:
    image = torch.zeros(1, 31, 31)
    image[0, 13:18, 13:18] = light
    return image


def test_a_measurement_as_expected_supports_the_restoration() -> None:
    seen = spot(100.0)
    found = misfit(seen, seen, seen, LEVELS, AROUND, 1.0)
    assert abs(float(found.z[MIDDLE])) < 0.1
    assert float(evidence_of(found.margin)[MIDDLE]) > 0.9


def test_invented_light_is_not_supported() -> None:
    found = misfit(spot(0.0), spot(100.0), spot(100.0), LEVELS, AROUND, 1.0)
    assert float(found.z[MIDDLE]) < -5
    assert float(evidence_of(found.margin)[MIDDLE]) < 0.1


def test_lost_light_has_the_other_sign() -> None:
    found = misfit(spot(300.0), spot(100.0), spot(100.0), LEVELS, AROUND, 1.0)
    assert float(found.z[MIDDLE]) > 5


def test_evidence_rises_with_the_margin() -> None:
    margins = torch.linspace(-20, 20, 9)
    found = evidence_of(margins)
    assert (found.diff() > 0).all()
    assert 0 <= float(found[0]) < 0.01 < 0.99 < float(found[-1]) <= 1


def test_the_error_is_what_is_missing() -> None:
    missing, flat = torch.full((1, 31, 31), -3.0), torch.ones(1, 31, 31)
    found = expected_error(missing, flat, [], AROUND[0], 0.5)
    assert abs(float(found[MIDDLE]) - 6.0) < 1e-4


def test_variation_adds_to_the_error() -> None:
    nothing, flat = torch.zeros(1, 31, 31), torch.ones(1, 31, 31)
    spreads = [3 * flat, 4 * flat]
    found = expected_error(nothing, flat, spreads, AROUND[0], 1.0)
    assert abs(float(found[MIDDLE]) - 5.0) < 1e-4
