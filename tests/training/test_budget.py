"""Steps or minutes: how much is done, how much is left, how fast to learn."""

from __future__ import annotations

import pytest

from napari_blurgan.training import budget
from napari_blurgan.training.budget import Budget


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(budget.time, "perf_counter", lambda: now[0])
    return now


def steps(budget: Budget, clock: list[float], count: int, seconds: float) -> None:
    for _ in range(count):
        clock[0] += seconds
        budget.count_step()


def test_a_number_of_steps(clock: list[float]) -> None:
    left = Budget(10)
    steps(left, clock, 4, 2.0)
    assert (left.progress, left.total_steps) == (0.4, 10)
    assert left.remaining_seconds == pytest.approx(12)


def test_minutes_are_turned_into_steps_by_the_pace(clock: list[float]) -> None:
    left = Budget(10, minutes=1)
    assert left.total_steps == 10
    steps(left, clock, 15, 1.0)
    assert left.progress == pytest.approx(0.25)
    assert left.total_steps == 60
    assert left.remaining_seconds == pytest.approx(45)


def test_minutes_count_from_the_moment_that_is_given(clock: list[float]) -> None:
    left = Budget(10, minutes=1)
    left.begun = clock[0]
    clock[0] += 30  # the preparation
    left.begin()
    assert left.remaining_seconds == pytest.approx(30)
    steps(left, clock, 10, 1.0)
    assert left.progress == pytest.approx(40 / 60)
    assert left.total_steps == 30  # at the pace of steps, not of the preparation


def test_a_long_preparation_leaves_time_for_steps(clock: list[float]) -> None:
    left = Budget(10, minutes=1)
    left.begun = clock[0]
    clock[0] += 500
    left.begin()
    assert left.remaining_seconds == pytest.approx(12)


def test_pauses_do_not_count(clock: list[float]) -> None:
    left = Budget(10, minutes=1)
    steps(left, clock, 1, 3.0)
    clock[0] += 1000
    left.start_clock()
    steps(left, clock, 1, 3.0)
    assert left.seconds == 6


def test_the_rate_rises_holds_and_falls(clock: list[float]) -> None:
    left = Budget(100)
    found = []
    for _ in range(101):
        found.append(left.rate(constant=0.5, final=0.2, warm_up=10))
        left.count_step()
    assert found[:10] == pytest.approx([(n + 1) / 10 for n in range(10)])
    assert found[10:51] == pytest.approx([1.0] * 41)
    assert found[75] == pytest.approx(0.6)
    assert found[100] == pytest.approx(0.2)


def test_it_goes_on_from_its_state(clock: list[float]) -> None:
    one, other = Budget(10), Budget(10)
    steps(one, clock, 3, 2.0)
    other.load_state_dict(one.state_dict())
    assert (other.step, other.seconds) == (3, 6.0)
