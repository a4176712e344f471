"""Closing the widget or napari during a training: it asks, stops, keeps the model."""

import pytest
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QDockWidget, QMessageBox

from napari_blurgan.transport.model import load_model
from napari_blurgan.widgets import _closing, _state
from napari_blurgan.widgets._docks import ancestor

pytestmark = pytest.mark.person


@pytest.fixture
def answer(qtbot):
    """Click a button of the question that comes up next."""
    asked = []

    def click(button):
        def look():
            box = QApplication.activeModalWidget()
            if not isinstance(box, QMessageBox):
                QTimer.singleShot(50, look)
                return
            asked.append(box.informativeText() or box.text())
            qtbot.mouseClick(box.button(button), Qt.MouseButton.LeftButton)

        QTimer.singleShot(50, look)
        return asked

    return click


YES, NO = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No


def close_button(widget):
    return ancestor(widget, QDockWidget).titleBarWidget().close_button


def the_model_is_kept():
    (path,) = _state.models.list()
    return load_model(path).recipe.name == "blind"


def test_nobody_waits_longer_than_two_seconds():
    assert _closing.PATIENCE <= 2


def test_the_cross_of_the_dock(training, answer, qtbot):
    _, widget = training
    asked = answer(NO)
    qtbot.mouseClick(close_button(widget), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: widget.parent() is not None, timeout=10_000)
    held = widget.plot.last_step
    qtbot.waitUntil(lambda: widget.plot.last_step > held, timeout=10_000)

    answer(YES)
    qtbot.mouseClick(close_button(widget), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(asked) == 2, timeout=10_000)
    assert "is kept" in asked[0]
    assert the_model_is_kept()


def test_closing_napari(training, answer):
    viewer, widget = training
    window = viewer.window._qt_window
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)  # napari's fixture
    answer(NO)
    window.close(confirm_need=True)
    assert window.isVisible()
    assert widget._job is not None

    asked = answer(YES)
    window.close(confirm_need=True)
    assert len(asked) == 2
    assert not window.isVisible()
    assert widget._job is None
    assert the_model_is_kept()


def test_a_script_that_closes_is_not_asked(training):
    viewer, widget = training
    viewer.close()
    assert widget._job is None
    assert the_model_is_kept()
