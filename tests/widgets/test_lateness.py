"""While a network trains, with the preview on, the event loop comes in time."""

import time

import numpy as np
import pytest
from qtpy.QtCore import Qt, QTimer

pytestmark = pytest.mark.person

INTERVAL = 5
"""Milliseconds; `benchmarks/responsiveness.py` tells more, beside idle."""


class Heartbeat:
    """How late the ticks of a precise timer come, in milliseconds."""

    def __init__(self):
        self.late = []
        self._last = time.perf_counter()
        self.timer = QTimer()
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.timeout.connect(self._tick)
        self.timer.start(INTERVAL)

    def _tick(self):
        now = time.perf_counter()
        self.late.append(1000 * (now - self._last) - INTERVAL)
        self._last = now


def test_the_event_loop_is_on_time(training, qtbot):
    viewer, widget = training
    qtbot.waitUntil(lambda: "blurred · preview" in viewer.layers, timeout=60_000)
    heartbeat, step = Heartbeat(), widget.plot.last_step
    qtbot.wait(3000)
    heartbeat.timer.stop()
    assert widget.plot.last_step > step
    assert len(heartbeat.late) > 30
    assert np.percentile(heartbeat.late, 95) < 100
