"""Open Train, train 20 steps, close, fifty times: what is left behind is counted.

xvfb-run -a -s "-screen 0 1600x1000x24" python -m benchmarks.speed.cycles
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
import threading

import napari
import numpy as np
import psutil
from qtpy.QtCore import QEvent, QEventLoop, QSettings, QTimer
from qtpy.QtWidgets import QApplication

from napari_blurgan.widgets import _closing

SMALL = (
    "sampling.patch=16 reconstructor.base=4 reconstructor.levels=2 "
    "reconstructor.iterations=3 discriminator.base=4 discriminator.scales=1 "
    "forward.start=optics terms.spectral=0"
)
STEPS = 20


def run(milliseconds: int) -> None:
    """Run the event loop for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def cycle(viewer: napari.Viewer) -> None:
    before = set(viewer.layers)
    _, widget = viewer.window.add_plugin_dock_widget("napari-blurgan", "Train")
    widget.advanced["changes"].value = SMALL
    widget.run.start_button.click()
    while widget.plot.last_step < STEPS and widget._job is not None:
        run(50)
    assert widget.plot.last_step >= STEPS, widget.messages.details
    viewer.window.remove_dock_widget(widget)
    for layer in set(viewer.layers) - before:
        viewer.layers.remove(layer)


def tally(viewer: napari.Viewer) -> str:
    run(500)  # a closed widget is deleted a little later
    gc.collect()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    run(50)
    megabytes = psutil.Process().memory_info().rss / 1e6
    widgets, threads = len(QApplication.allWidgets()), threading.active_count()
    return f"{megabytes:.0f} | {widgets} | {threads} | {len(viewer.layers)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=50)
    options = parser.parse_args()
    _closing.confirm = lambda parent: True  # closing asks, and nobody is there
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.open_sample("napari-blurgan", "microtubules")
    print("| cycle | RSS (MB) | widgets | threads | layers |\n|---|---|---|---|---|")
    marks = {1, *np.linspace(0, options.cycles, 6, dtype=int).tolist()}
    for number in range(1, options.cycles + 1):
        cycle(viewer)
        counts = tally(viewer)
        if number in marks:
            print(f"| {number} | {counts} |", flush=True)
    viewer.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
        os.environ["HOME"] = folder  # where models are saved
        main()
