"""A right click on a layer, the help and the log, as a person comes to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from app_model.backends.qt import QModelMenu
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt, QUrl
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialog, QPushButton, QTextBrowser

from napari_blurgan.widgets._help import chapter
from napari_blurgan.widgets._log import LOG, LogWindow
from tests.support.docks import opened

pytestmark = pytest.mark.person


@pytest.fixture
def window(
    make_napari_viewer: Callable[..., Viewer], volumes: tuple[np.ndarray, np.ndarray]
) -> Viewer:
    viewer = make_napari_viewer(show=True)
    viewer.add_image(volumes[0], name="below")
    viewer.add_image(volumes[1], name="above")
    return viewer


@pytest.fixture
def right_click(
    window: Viewer, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Any]]:
    """Return what clicks with the right button on a row of the layer list.

    The menu is not opened, for it would wait for an answer; its visible entries are
    returned.
    """
    menus = []
    monkeypatch.setattr(QModelMenu, "exec_", lambda menu, at: menus.append(menu), False)

    def click(row: Any) -> Any:
        view = window.window._qt_viewer.layers
        place = view.visualRect(view.model().index(row, 0)).center()
        for button in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            QTest.mouseClick(view.viewport(), button, pos=place)
        return {a.text(): a for a in menus[-1].actions() if a.isVisible()}

    return click


@pytest.mark.parametrize("name", ["Restore", "Deconvolve"])
def test_a_right_click_on_a_layer_opens_a_widget_on_it(
    window: Viewer, right_click: Callable[..., dict[str, Any]], name: str, qtbot: QtBot
) -> None:
    window.window.add_plugin_dock_widget("napari-blurgan", "Compare")
    right_click(1)[f"{name} with… (BlurGAN)"].trigger()
    qtbot.waitUntil(lambda: f"{name} (BlurGAN)" in window.window.dock_widgets)
    widget = window.window.dock_widgets[f"{name} (BlurGAN)"]
    assert widget.form["layer"].value is window.layers["below"]
    window.add_labels(window.layers["below"].data.astype(int))
    assert not any("BlurGAN" in words for words in right_click(0))


def dialog_of(widget: Any, qtbot: QtBot, kind: str = QDialog) -> Any:
    found = []

    def there() -> Any:
        found[:] = [d for d in widget.findChildren(kind) if d.isVisible()]
        return bool(found)

    qtbot.waitUntil(there)
    return found[-1]


def test_help_leads_to_the_chapter_and_the_log_is_complete(
    window: Viewer, qtbot: QtBot
) -> None:
    widget = opened(window, "Compare")
    buttons = {b.text(): b for b in widget.findChildren(QPushButton)}
    qtbot.mouseClick(buttons["?"], Qt.MouseButton.LeftButton)
    page = dialog_of(widget, qtbot).findChild(QTextBrowser)
    assert page.toPlainText().endswith("More in the manual…")
    page.anchorClicked.emit(QUrl("manual"))
    assert (
        "Fourier"
        in dialog_of(page.parent(), qtbot).findChild(QTextBrowser).toPlainText()
    )

    qtbot.mouseClick(buttons["Log…"], Qt.MouseButton.LeftButton)
    log = dialog_of(widget, qtbot, LogWindow)
    for n in range(8):  # the widget itself keeps the latest few
        widget.messages.add(f"warning {n}", "Do something")
    lines = log.text.toPlainText().splitlines()[-8:]
    assert [line[10:] for line in lines] == [
        f"⚠ warning {n}. Do something" for n in range(8)
    ]
    qtbot.mouseClick(log.copy_button, Qt.MouseButton.LeftButton)
    assert "warning 7" in QApplication.clipboard().text()
    log.close()
    LOG.write("nobody listens")


@pytest.mark.parametrize(
    "title",
    ["Train", "Restore", "Deconvolve", "PSF", "Compare", "Threshold", "Transform"],
)
def test_every_widget_has_a_chapter(title: str) -> None:
    assert chapter(title).startswith(f"## {title}\n")
