"""Open, train, close, again and again: nothing may be left behind."""

import gc
import threading

import pytest
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication

from napari_blurgan.widgets._controls import Phase


def open_train_close(viewer, small, qtbot, steps):
    """Train that many steps in a new widget, close it, delete what it made."""
    before = set(viewer.layers)
    _, widget = viewer.window.add_plugin_dock_widget("napari-blurgan", "Train")
    widget.data.blurred.tick(viewer.layers["blurred"])
    widget.data.sharp.tick(viewer.layers["sharp"])
    widget.data.update_values({"make": "layers", "optics": {"known": True}})
    widget.advanced.update_values({"changes": small, "device": "cpu"})
    widget.run.start_button.click()
    qtbot.waitUntil(
        lambda: widget.plot.last_step >= steps or widget.run.phase is Phase.IDLE,
        timeout=60_000,
    )
    assert widget.plot.last_step >= steps, widget.messages.details
    viewer.window.remove_dock_widget(widget)
    for layer in set(viewer.layers) - before:
        viewer.layers.remove(layer)


def widgets():
    """Return all widgets there are, once those to be deleted are."""
    for _ in range(3):
        gc.collect()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
    return [type(w).__name__ for w in QApplication.allWidgets()]


@pytest.mark.person
def test_cycles_leave_neither_widgets_nor_threads_nor_layers(viewer, small, qtbot):
    open_train_close(viewer, small, qtbot, 2)  # what is made only once
    qtbot.wait(1000)
    before = widgets()
    layers = list(viewer.layers)
    for _ in range(2):
        open_train_close(viewer, small, qtbot, 2)
    qtbot.waitUntil(lambda: sorted(widgets()) == sorted(before), timeout=5000)
    assert list(viewer.layers) == layers
    assert "blurgan" not in [thread.name for thread in threading.enumerate()]
