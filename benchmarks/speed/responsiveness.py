"""How late napari's event loop is while a network trains, beside idle.

A precise 5 ms timer in a real window notes how late each of its ticks comes.

    xvfb-run -a -s "-screen 0 1600x1000x24" python -m benchmarks.speed.responsiveness
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time

import napari
import numpy as np
from qtpy.QtCore import QEventLoop, QSettings, Qt, QTimer

INTERVAL = 0.005


class Heartbeat:
    """Notes the lateness of a 5 ms timer, in milliseconds."""

    def __init__(self) -> None:
        self._late: list[float] = []
        self._due = 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(round(1000 * INTERVAL))
        self._timer.timeout.connect(self._tick)

    def over(self, seconds: float) -> np.ndarray:
        """Return all latenesses over a time of listening."""
        self._late.clear()
        self._due = time.perf_counter() + INTERVAL
        self._timer.start()
        run(seconds)
        self._timer.stop()
        return np.array(self._late)

    def _tick(self) -> None:
        now = time.perf_counter()
        self._late.append(1000 * max(0.0, now - self._due))
        self._due = now + INTERVAL


def run(seconds: float) -> None:
    """Run the event loop for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def report(name: str, late: np.ndarray) -> None:
    p50, p95, p99 = np.percentile(late, (50, 95, 99))
    print(f"| {name} | {p50:.1f} | {p95:.1f} | {p99:.1f} | {late.max():.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--changes", default="", help="of the recipe, name=value …")
    options = parser.parse_args()
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.open_sample("napari-blurgan", "microtubules")
    _, widget = viewer.window.add_plugin_dock_widget("napari-blurgan", "Train")
    widget.advanced["changes"].value = options.changes
    heartbeat = Heartbeat()
    run(2)
    print("| lateness (ms) | p50 | p95 | p99 | max |\n|---|---|---|---|---|")
    report("idle", heartbeat.over(options.seconds))
    widget.run.start_button.click()
    loading = []
    while widget.plot.is_empty and widget._job is not None:
        loading.append(heartbeat.over(1))
    report("loading", np.concatenate(loading))
    before = widget.plot.last_step
    report("training, live preview", heartbeat.over(options.seconds))
    steps = widget.plot.last_step - before
    print(f"\n{steps / options.seconds:.1f} steps a second meanwhile")
    if widget._job is not None:
        widget._job.finish(10)
    viewer.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
        os.environ["HOME"] = folder  # where models are saved
        main()
