"""The loop shared by all iterative methods."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from napari_blurgan.inverse.blur import Blur
from napari_blurgan.inverse.iteration import Progress, iterate
from napari_blurgan.inverse.observation import Observation
from napari_blurgan.inverse.stopping import RelativeChange, StoppingRule

SHAPE = (4, 6, 6)


class Halving:
    """Halves its estimate in each update."""

    def __init__(self) -> None:
        kernel = torch.ones(1, 1, 1)
        self.observation = Observation(torch.ones(SHAPE), Blur(kernel, SHAPE))
        self.estimate = self.observation.start()

    def predict(self) -> torch.Tensor:
        return self.observation.expected(self.estimate)

    def correct(self, expected: torch.Tensor) -> None:
        self.estimate = self.estimate / 2


def test_all_iterations_are_made_and_shown() -> None:
    seen: list[int] = []

    def look(progress: Progress) -> None:
        seen.append(progress.iteration)
        assert progress.image().shape == SHAPE

    outcome = iterate(Halving(), 4, callback=look)
    assert seen == [1, 2, 3, 4]
    assert outcome.iterations == 4
    np.testing.assert_allclose(outcome.estimate, 1 / 16, rtol=1e-5)


def test_the_callback_can_end_it() -> None:
    outcome = iterate(Halving(), 10, callback=lambda progress: progress.iteration == 2)
    assert outcome.iterations == 2
    assert outcome.reason == "stopped by the caller"


@pytest.mark.parametrize(("tolerance", "made"), [(2.0, 1), (0.1, 6)])
def test_a_rule_can_end_it(tolerance: float, made: int) -> None:
    rule: Any = RelativeChange(tolerance)
    steps = Halving()
    rule.begin(steps.observation)
    outcome = iterate(steps, 6, rule)
    assert outcome.iterations <= made
    assert len(outcome.trace) >= 1


class Scripted(StoppingRule):
    """A rule whose criterion is known beforehand, estimate by estimate."""

    criterion = "script"
    patience = 2

    def __init__(self, *values: float) -> None:
        self.values = list(values)

    def measure(self, steps: Any, expected: torch.Tensor) -> float:
        return self.values.pop(0)


def test_the_last_of_all_iterations_is_judged_too() -> None:
    outcome = iterate(Halving(), 3, Scripted(9, 7, 5, 3))
    assert outcome.iterations == 3
    assert outcome.trace == (9, 7, 5, 3)
    assert outcome.reason == "all iterations are done"
    np.testing.assert_allclose(outcome.estimate, 1 / 8, rtol=1e-5)


def test_where_an_earlier_estimate_is_kept_both_numbers_are_told() -> None:
    outcome = iterate(Halving(), 3, Scripted(9, 7, 5, 6))
    assert outcome.iterations == 2
    assert outcome.reason == "all iterations are done; the best of 3 was kept"
    np.testing.assert_allclose(outcome.estimate, 1 / 4, rtol=1e-5)
    outcome = iterate(Halving(), 9, Scripted(9, 5, 6, 7))
    assert outcome.iterations == 1
    assert outcome.reason == "the script is rising again; the best of 3 was kept"
