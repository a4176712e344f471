"""Everything is reached by Tab, and where the focus is can be seen."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QGroupBox,
    QLineEdit,
    QListWidget,
    QPushButton,
    QScrollBar,
    QTableWidget,
)

from tests.support.docks import NAMES, opened

FIELDS = (
    *(QAbstractSpinBox, QComboBox, QPushButton, QCheckBox, QLineEdit, QListWidget),
    *(QTableWidget, QGroupBox, QAbstractSlider),
)


@pytest.fixture(params=NAMES)
def widget(
    request: pytest.FixtureRequest,
    make_napari_viewer: Callable[..., Viewer],
    volumes: tuple[np.ndarray, np.ndarray],
    qtbot: QtBot,
) -> Any:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1280, 800)
    viewer.add_image(volumes[0], name="a layer", scale=(0.3, 0.1, 0.1))
    widget = opened(viewer, request.param)
    QApplication.processEvents()
    viewer.window._qt_window.activateWindow()
    qtbot.waitUntil(viewer.window._qt_window.isActiveWindow, timeout=5000)
    return widget


def wanted(widget: Any) -> Any:
    """Return what can be typed into, pressed or moved, as a person would name it."""
    return [
        field
        for field in widget.findChildren(FIELDS)
        if field.isVisible() and field.isEnabled() and not _part_of_another(field)
    ]


def _part_of_another(field: Any) -> bool:
    """Return whether it is a scroll bar, the line of a box, a group without a tick."""
    if isinstance(field, QGroupBox):
        return not field.isCheckable()
    within = isinstance(field.parent(), QAbstractSpinBox | QComboBox)
    return isinstance(field, QScrollBar) or within


def walk(widget: Any, fields: Any) -> Any:
    """Press Tab until the walk is round; return whom it visits, as they look there."""
    fields[0].setFocus(Qt.FocusReason.TabFocusReason)
    looks = {}
    for _ in range(4 * len(fields)):
        now = QApplication.focusWidget()
        if now in looks:
            break
        looks[now] = now.grab().toImage()
        QTest.keyClick(now, Qt.Key.Key_Tab)
    return looks


def test_everything_is_reached_by_tab_with_visible_focus(widget: Any) -> None:
    fields = wanted(widget)
    looks = walk(widget, fields)
    missed = [f for f in fields if f not in looks]
    assert not missed
    widget.setFocus()
    hidden = [f for f in fields if f.grab().toImage() == looks[f]]
    assert not [getattr(f, "text", f.accessibleName)() for f in hidden]


def test_tab_goes_down_the_widget(widget: Any) -> None:
    goes_down(widget)


@pytest.mark.parametrize("widget", ["Deconvolve"], indirect=True)
def test_tab_goes_through_the_fields_that_a_choice_has_brought(widget: Any) -> None:
    channels = np.ones((2, 8, 20, 20))
    widget._viewer.add_image(channels, name="two", axis_labels=("c", "z", "y", "x"))
    widget.form["layer"].value = widget._viewer.layers["two"]
    widget.form["method"].value = "rl-tv"
    widget.camera.setChecked(True)
    QApplication.processEvents()
    assert {"PSF 1", "Weight"} <= {_name(field) for field in wanted(widget)}
    goes_down(widget)


def goes_down(widget: Any) -> None:
    """Check that Tab visits the fields row by row."""
    fields = wanted(widget)
    visited = [f for f in walk(widget, fields) if f in fields]
    start = visited.index(min(visited, key=lambda f: _row(f, widget)))
    rows = [_row(f, widget) for f in visited[start:] + visited[:start]]
    jumps = [
        (a, b) for a, b in pairwise(zip(rows, visited, strict=True)) if b[0] < a[0]
    ]
    assert not [(_name(a), _name(b)) for (_, a), (_, b) in jumps]


def _row(field: Any, widget: Any) -> int:
    """Return the middle of a field, or the title of a group, in its widget."""
    title = isinstance(field, QGroupBox)
    place = field.rect().topLeft() if title else field.rect().center()
    return int(field.mapTo(widget, place).y())


def _name(field: Any) -> str:
    return field.accessibleName() or getattr(field, "text", str)()
