"""In large type, on a small screen: nothing is cut off, every field explains itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.settings import get_settings
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QGroupBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QScrollArea,
)

from napari_blurgan.widgets._words import HERE, breakable, plain
from tests.support.docks import NAMES, opened

LARGE = 14  # points; napari's own are 9
FIELDS = (QAbstractSpinBox, QComboBox, QLineEdit, QListWidget, QCheckBox, QGroupBox)


@pytest.fixture(params=NAMES)
def widget(
    request: pytest.FixtureRequest,
    make_napari_viewer: Callable[..., Viewer],
    volumes: tuple[np.ndarray, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    viewer = make_napari_viewer(show=True)
    monkeypatch.setattr(get_settings().appearance, "font_size", LARGE)
    viewer.window.resize(1280, 800)
    viewer.add_image(volumes[0], name="a layer", scale=(0.3, 0.1, 0.1))
    widget = opened(viewer, request.param)
    QApplication.processEvents()
    return widget


def cut_off(widget: Any) -> Iterator[Any]:
    """Return what is narrower than it needs to be, or sticks out of the dock."""
    for child in widget.findChildren((QPushButton, QLabel)):
        if not child.isVisible() or not child.text():
            continue
        words = isinstance(child, QLabel) and child.wordWrap()
        narrow = not words and child.width() < child.minimumSizeHint().width()
        low = words and child.height() < child.heightForWidth(child.width())
        right = child.mapTo(widget, child.rect().topRight()).x()
        if narrow or low or right > widget.width():
            yield child.text()


def test_nothing_is_cut_off_in_large_type(widget: Any) -> None:
    (area,) = widget.findChildren(QScrollArea)
    content = area.widget()
    assert content.minimumSizeHint().width() <= area.viewport().width()
    assert list(cut_off(widget)) == []
    assert widget.window().width() <= 1280


@pytest.mark.parametrize("widget", ["Restore"], indirect=True)
def test_what_comes_later_is_not_cut_off_either(widget: Any, qtbot: QtBot) -> None:
    """The dock grows with it: with figures of evidence, or wide words."""
    widget.evidence.show()
    wide = QLabel("words that are wider than anything else in this dock, by far")
    for shown in (None, wide):
        if shown is not None:
            widget.evidence.layout().addWidget(shown)
        qtbot.waitUntil(lambda: list(cut_off(widget)) == [], timeout=5000)


def test_a_long_name_of_a_file_widens_no_dock() -> None:
    path = (
        "/home/you/models of mine/2024-05-12_averyverylongnameofafilewithoutend.blurgan"
    )
    label = plain(breakable(path))
    label.setWordWrap(True)
    assert label.text().replace(HERE, "") == path
    letters = label.fontMetrics().horizontalAdvance("m" * 16)
    assert label.minimumSizeHint().width() < letters


def test_every_field_explains_itself(widget: Any) -> None:
    for field in widget.findChildren(FIELDS):
        within = isinstance(field.parent(), QAbstractSpinBox | QComboBox)
        assert within or field.toolTip(), f"{type(field).__name__} {field}"
    for pressed in widget.findChildren(QPushButton):
        folds = pressed.isFlat()
        assert folds or pressed.toolTip(), pressed.text()
