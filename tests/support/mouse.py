"""`Mouse`: real presses, clicks and drags on napari's canvas and buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari import Viewer
from napari.layers import Image
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QPushButton

from napari_blurgan.widgets.threshold import ThresholdWidget


class Mouse:
    """Presses buttons, and clicks and drags on the canvas at places of the world."""

    def __init__(self, viewer: Viewer, qtbot: QtBot) -> None:
        self.viewer = viewer
        self._qtbot = qtbot
        self.canvas = viewer.window._qt_viewer.canvas
        self.canvas.native.resize(400, 300)

    def open(self) -> Any:
        widget = ThresholdWidget(self.viewer)
        self.viewer.window.add_dock_widget(widget, name="Threshold")
        self.viewer.reset_view()
        self.settle()
        return widget

    def until(self, condition: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(condition, timeout=5000)

    def settle(self) -> None:
        self._qtbot.wait(20)

    def press(self, button: QPushButton) -> None:
        self._qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def place(self, world: Any) -> Any:
        """Return where on the canvas a place of the displayed plane is."""
        shown = list(self.viewer.dims.displayed)
        corners = np.array([(0, 0), (100, 0), (0, 100)])
        there = [
            np.asarray(self.canvas._map_canvas2world(tuple(c), self.canvas.view))[shown]
            for c in corners
        ]
        axes = np.stack([(p - there[0]) / 100 for p in there[1:]], axis=1)
        x, y = np.linalg.solve(axes, np.asarray(world)[shown] - there[0])
        return QPoint(round(x), round(y))

    def click(self, layer: Image, *places: Any) -> None:
        """Click on pixels of a layer."""
        for place in places:
            at = self.place(layer.data_to_world(place))
            QTest.mouseClick(self.canvas.native, Qt.MouseButton.LeftButton, pos=at)
            self.settle()

    def drag(self, layer: Image, *places: Any) -> None:
        native, left = self.canvas.native, Qt.MouseButton.LeftButton
        points = [self.place(layer.data_to_world(p)) for p in places]
        QTest.mousePress(native, left, pos=points[0])
        for point in points[1:]:
            QTest.mouseMove(native, point)
            self.settle()
        QTest.mouseRelease(native, left, pos=points[-1])
        self.settle()

    def pick(self, widget: Any, layer: Image, background: Any, foreground: Any) -> None:
        for kind, places in (("background", background), ("foreground", foreground)):
            self.press(widget.pick_buttons[kind])
            self.click(layer, *places)
            self.press(widget.pick_buttons[kind])


def choose(viewer: Viewer, *path: str) -> None:
    """Trigger an entry of napari's menus."""
    menu = viewer.window._qt_window.menuBar()
    for name in path:
        if hasattr(menu, "aboutToShow"):
            menu.aboutToShow.emit()
        entries = {a.text().replace("&", ""): a for a in menu.actions()}
        chosen = next(a for text, a in entries.items() if text.startswith(name))
        menu = chosen.menu()
    chosen.trigger()
