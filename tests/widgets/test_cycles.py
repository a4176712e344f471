"""Open, work, close, again and again: nothing may be left behind."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication

from napari_blurgan.widgets._controls import Phase
from tests.support.docks import opened

pytestmark = pytest.mark.person

SMALL = (
    "reconstructor.base=2 reconstructor.blocks=1 discriminator.base=2 "
    "sampling.patch=16 precision=float32 steps=3"
)


def trained(viewer: Viewer, small: Any, qtbot: QtBot) -> Any:
    """Train two steps in a new widget."""
    widget = opened(viewer, "Train")
    widget.data.blurred.tick(viewer.layers["blurred"])
    widget.data.sharp.tick(viewer.layers["sharp"])
    widget.data.update_values({"make": "layers", "optics": {"known": True}})
    widget.advanced.update_values({"changes": small, "device": "cpu"})
    step_twice(widget, qtbot)
    return widget


def transformed(viewer: Viewer, small: Any, qtbot: QtBot) -> Any:
    """Train two steps of a transformation in a new widget, its thresholds picked."""
    widget = opened(viewer, "Transform")
    widget.domains["A"].tick(viewer.layers["blurred"])
    widget.domains["B"].tick(viewer.layers["sharp"])
    widget.form.update_values({"alpha": "5", "beta": "5"})
    widget.advanced.update_values({"changes": SMALL, "device": "cpu"})
    step_twice(widget, qtbot)
    return widget


def picked(viewer: Viewer, small: Any, qtbot: QtBot) -> Any:
    """Pick a threshold in a new widget, and leave the mouse picking."""
    widget = opened(viewer, "Threshold")
    widget.form["layer"].value = layer = viewer.layers["blurred"]
    widget.pick_buttons["foreground"].click()
    widget._picks_of(layer).add("foreground", (1, 2, 3), 0)
    widget._choose("Otsu")
    assert "blurred · content above" in viewer.layers
    return widget


WORKS = {"Train": trained, "Transform": transformed, "Threshold": picked}


def step_twice(widget: Any, qtbot: QtBot) -> None:
    widget.run.start_button.click()
    qtbot.waitUntil(
        lambda: widget.plot.last_step >= 2 or widget.run.phase is Phase.IDLE,
        timeout=60_000,
    )
    assert widget.plot.last_step >= 2, widget.messages.details


def open_work_close(work: Any, viewer: Viewer, small: Any, qtbot: QtBot) -> Any:
    """Close a widget that has worked, delete what it made; return what may die now."""
    before = set(viewer.layers)
    widget = work(viewer, small, qtbot)
    viewer.window.remove_dock_widget(widget)
    for layer in set(viewer.layers) - before:
        viewer.layers.remove(layer)
    return weakref.ref(widget)


def widgets() -> Any:
    """Return all widgets there are, once those to be deleted are."""
    for _ in range(3):
        gc.collect()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
    return sorted(type(w).__name__ for w in QApplication.allWidgets())


def gone(closed: Any) -> bool:
    """Return whether nothing holds the closed widgets: timers may for a moment."""
    return all(widget() is None for widget in closed)


def connected(viewer: Viewer) -> Any:
    """Return how many listen to the layers and to the mouse."""
    events = viewer.layers.events
    names = ("inserted", "removed", "reordered", "renamed")
    counts = [len(getattr(events, name).callbacks) for name in names]
    return [*counts, len(viewer.mouse_drag_callbacks)]


@pytest.mark.parametrize("name", WORKS)
def test_cycles_leave_neither_widgets_nor_threads_nor_layers(
    name: str, viewer: Viewer, small: str, qtbot: QtBot
) -> None:
    open_work_close(WORKS[name], viewer, small, qtbot)  # what is made only once
    qtbot.wait(1000)
    before, heard = widgets(), connected(viewer)
    layers = list(viewer.layers)
    closed = [open_work_close(WORKS[name], viewer, small, qtbot) for _ in range(2)]
    qtbot.waitUntil(lambda: widgets() == before and gone(closed), timeout=5000)
    assert list(viewer.layers) == layers
    assert connected(viewer) == heard
    assert "blurgan" not in [thread.name for thread in threading.enumerate()]
