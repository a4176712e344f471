"""Closing the widget or napari during a training: it asks, stops, keeps the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QDockWidget, QMessageBox, QPushButton

from napari_blurgan.models.model import load_model
from napari_blurgan.optics.models import Optics, gaussian
from napari_blurgan.widgets import _closing, _state
from napari_blurgan.widgets._docks import ancestor
from napari_blurgan.widgets._psf_layers import add_psf
from napari_blurgan.widgets.train import TrainWidget

pytestmark = pytest.mark.person


@pytest.fixture
def answer(qtbot: QtBot) -> Callable[[str], list[str]]:
    """Click a button of the question that comes up next."""
    asked = []

    def click(button: QPushButton) -> Any:
        def look() -> None:
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


def close_button(widget: Any) -> Any:
    return ancestor(widget, QDockWidget).titleBarWidget().close_button


def the_model_is_kept() -> Any:
    (path,) = _state.models.list()
    return load_model(path).recipe.name == "blind"


def test_nobody_waits_longer_than_two_seconds() -> None:
    assert _closing.PATIENCE <= 2


def test_the_cross_of_the_dock(
    training: tuple[Viewer, TrainWidget],
    answer: Callable[[str], list[str]],
    qtbot: QtBot,
) -> None:
    _, widget = training
    asked = answer(NO)
    qtbot.mouseClick(close_button(widget), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: widget.parent() is not None, timeout=10_000)
    held = widget.plot.last_step
    qtbot.waitUntil(lambda: widget.plot.last_step > held, timeout=10_000)

    answer(YES)
    qtbot.mouseClick(close_button(widget), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(asked) == 2, timeout=10_000)
    assert "Training" in asked[0]
    assert "is kept" in asked[0]
    assert the_model_is_kept()


def test_closing_napari(
    training: tuple[Viewer, TrainWidget], answer: Callable[[str], list[str]]
) -> None:
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


def test_a_script_that_closes_is_not_asked(
    training: tuple[Viewer, TrainWidget],
) -> None:
    viewer, widget = training
    viewer.close()
    assert widget._job is None
    assert the_model_is_kept()


def test_after_no_the_dock_stays_where_it_was(
    make_napari_viewer: Callable[..., Viewer],
    answer: Callable[[str], list[str]],
    qtbot: QtBot,
) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1280, 800)
    rng = np.random.default_rng(0)
    viewer.add_image(rng.poisson(50, (20, 64, 64)), scale=(0.3, 0.1, 0.1))
    names = ("Compare", "Deconvolve", "PSF")
    docks = {}
    for name in names:
        docks[name], _ = viewer.window.add_plugin_dock_widget("napari-blurgan", name)
        QApplication.processEvents()
    widget = docks["Deconvolve"].widget()
    window = viewer.window._qt_window
    psf = gaussian(Optics(na=0.8, ni=1.0, wavelength=520), (7, 9, 9), (0.3, 0.1, 0.1))
    widget.form["psf"].value = add_psf(viewer, psf, viewer.layers[0])
    widget.parameters["iterations"].value = 10_000

    def places() -> Any:
        dock = ancestor(widget, QDockWidget)
        beside = [d.windowTitle() for d in window.tabifiedDockWidgets(dock)]
        return window.dockWidgetArea(dock), beside, dock.isFloating()

    docks["Deconvolve"].raise_()
    QApplication.processEvents()
    before, height = places(), widget.height()
    assert len(before[1]) == 2
    qtbot.mouseClick(widget.run.start_button, Qt.MouseButton.LeftButton)
    asked = answer(NO)
    qtbot.mouseClick(close_button(widget), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: widget.parent() is not None, timeout=10_000)
    QApplication.processEvents()
    assert "Deconvolving" in asked[0]
    assert "learned" not in asked[0]
    assert places() == before
    assert widget.height() == pytest.approx(height, abs=2)
    assert widget.isVisible()
    widget._job.finish(20)
