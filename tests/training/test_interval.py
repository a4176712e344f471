"""What happens every so many seconds happens at once, and then not too soon."""

from __future__ import annotations

import pytest

from napari_blurgan.training import interval
from napari_blurgan.training.interval import Interval


def test_the_first_time_is_at_once_and_the_next_after_the_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(interval.time, "monotonic", lambda: now[0])
    saving = Interval(30)
    assert saving.due()
    now[0] += 29.9
    assert not saving.due()
    now[0] += 0.1
    assert saving.due()
    assert not saving.due()
