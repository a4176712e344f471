"""How soon napari answers: lateness, stages of the preparation, Stop.

``lateness``: a precise 5 ms timer in a real window notes how late each of its ticks
comes, idle, while a training is prepared, while it trains, and while it restores.
``stages``: CPU seconds of each stage of the preparation, by name, and the longest time
in it between two moments at which Stop is heeded. ``stop``: seconds from Stop to the
end at random moments of the preparation, of the clock and of the CPU: where other
programs compute, the clock says more of them.

    xvfb-run -a -s "-screen 0 1600x1000x24" python -m benchmarks.speed.responsiveness
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import napari
import numpy as np
from qtpy.QtCore import QEventLoop, QSettings, Qt, QTimer

from napari_blurgan.interruption import interruptible
from napari_blurgan.monitoring.events import Stepped
from napari_blurgan.widgets._worker import warm_up

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


def window(sample: str, changes: str = "") -> tuple[Any, Any]:
    """Return a viewer with a sample or a dropped file, and the Train widget on it."""
    viewer = napari.Viewer(show_welcome_screen=False)
    if Path(sample).is_file():
        viewer.open(sample, plugin="napari-blurgan")
    else:
        viewer.open_sample("napari-blurgan", sample)
    _, widget = viewer.window.add_plugin_dock_widget("napari-blurgan", "Train")
    widget.advanced["changes"].value = changes
    run(2)
    return viewer, widget


def lateness(options: argparse.Namespace) -> None:
    """Print how late the event loop is, in the states of a session."""
    viewer, widget = window("microtubules", options.changes)
    heartbeat = Heartbeat()
    print("| lateness (ms) | p50 | p95 | p99 | max |\n|---|---|---|---|---|")
    report("idle", heartbeat.over(options.seconds))
    widget.run.start_button.click()
    preparing = []
    while widget.plot.is_empty and widget._job is not None:
        preparing.append(heartbeat.over(1))
    report("preparing", np.concatenate(preparing))
    before = widget.plot.last_step
    report("training, live preview", heartbeat.over(options.seconds))
    steps = widget.plot.last_step - before
    widget.run.stop_button.click()
    while widget._job is not None:
        run(0.1)
    widget.restore_button.click()
    restore = viewer.window.dock_widgets["Restore (BlurGAN)"]
    run(2)
    restore.run.start_button.click()
    restoring = []
    while restore._job is not None:
        restoring.append(heartbeat.over(1))
    report("restoring", np.concatenate(restoring))
    print(f"\n{steps / options.seconds:.1f} steps a second meanwhile")
    viewer.close()


def stages(options: argparse.Namespace) -> None:
    """Print the CPU seconds of each stage before the first step."""
    print("| sample | stage | CPU s | CPU s since Start | deaf to Stop, CPU s |")
    print("|---|---|---|---|---|")
    for sample in options.samples:
        viewer, widget = window(sample, options.changes)
        ledger = Ledger(sample)
        asked = widget._request()
        options_ = asked.options | {"out": Path(tempfile.mkdtemp()) / "m.blurgan"}
        warm_up()
        with interruptible(ledger.asked):
            trainer = replace(asked, options=options_).trainer(ledger.note)
        trainer._is_stopped = ledger.asked
        for event in trainer:
            ledger.note(event)
            if isinstance(event, Stepped):
                break
        viewer.close()


class Ledger:
    """Prints what each stage has cost, when the next begins.

    Importing torch is not heard of here: the run ends meanwhile all the same.
    """

    def __init__(self, sample: str) -> None:
        self._sample, self._name = sample, "loading torch"
        self._start = self._since = self._heard = time.process_time()
        self._deaf = 0.0

    def asked(self) -> bool:
        """Note that the work asks whether to stop, and let it go on."""
        now = time.process_time()
        self._deaf, self._heard = max(self._deaf, now - self._heard), now
        return False

    def note(self, event: object) -> None:
        """Take an event: a stage is over."""
        self.asked()
        now = time.process_time()
        spent, so_far = now - self._since, now - self._start
        print(
            f"| {self._sample} | {self._name} | {spent:.1f} | {so_far:.1f} "
            f"| {self._deaf:.2f} |",
            flush=True,
        )
        self._deaf = 0.0
        self._name = getattr(event, "stage", f"after {type(event).__name__}")
        self._since = now


def stop(options: argparse.Namespace) -> None:
    """Print how soon Stop is heeded at random moments of the preparation."""
    _, widget = window(options.samples[0], options.changes)
    rng = np.random.default_rng(0)
    print("| Stop after (s) | stage | ended after (s) | CPU s |\n|---|---|---|---|")
    for moment in rng.uniform(0, options.longest, options.stops):
        widget.run.start_button.click()
        run(moment)
        if widget._job is None or not widget.plot.is_empty:
            print(f"| {moment:.1f} | past the preparation | | |")
            break
        stage = widget.run.words.text()
        clock, cpu = time.perf_counter(), time.process_time()
        widget.run.stop_button.click()
        while widget._job is not None:
            run(0.02)
        clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
        print(f"| {moment:.1f} | {stage} | {clock:.2f} | {cpu:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    modes = {"lateness": lateness, "stages": stages, "stop": stop}
    parser.add_argument("what", nargs="?", choices=modes, default="lateness")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument(
        "--samples", nargs="+", default=["microtubules", "yeast", "dna"]
    )
    parser.add_argument("--stops", type=int, default=20)
    parser.add_argument("--longest", type=float, default=40, help="seconds to Stop")
    parser.add_argument("--changes", default="", help="of the recipe, name=value …")
    options = parser.parse_args()
    modes[options.what](options)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
        os.environ["HOME"] = folder  # where models are saved
        main()
