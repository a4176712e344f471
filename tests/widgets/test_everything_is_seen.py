"""In large type, on a small screen: nothing is cut off, every field explains itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.settings import get_settings
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
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

from napari_blurgan.errors import DataError
from napari_blurgan.widgets._forms import NOTHING
from napari_blurgan.widgets._words import HERE, breakable, plain
from napari_blurgan.widgets._worker import Failure
from tests.support.docks import NAMES, opened

LARGE = 14  # points; napari's own are 9
SEEN = 2.0  # contrast, 1 to 21; the best of one grey for both themes is 2.3
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


def wide(box: QComboBox) -> bool:
    """Return whether a choice of ours does not fit; layers may have any name."""
    texts = [box.itemText(i) for i in range(box.count())]
    longest = max(map(box.fontMetrics().horizontalAdvance, texts), default=0)
    return NOTHING not in texts and longest > box.width() - box.height()


def cut_off(widget: Any) -> Iterator[Any]:
    """Return what is narrower than it needs to be, or sticks out of the dock."""
    for box in widget.findChildren(QComboBox):
        if box.isVisible() and wide(box):
            yield box.currentText()
    for child in widget.findChildren((QPushButton, QLabel)):
        if not child.isVisible() or not child.text():
            continue
        words = isinstance(child, QLabel) and child.wordWrap()
        narrow = not words and child.width() < child.minimumSizeHint().width()
        low = words and child.height() < child.heightForWidth(child.width())
        right = child.mapTo(widget, child.rect().topRight()).x()
        if narrow or low or right > widget.width():
            yield child.text()


def test_nothing_is_cut_off_in_large_type(widget: Any, qtbot: QtBot) -> None:
    """What the checks of the form say has its place a moment later."""
    (area,) = widget.findChildren(QScrollArea)
    content = area.widget()
    assert content.minimumSizeHint().width() <= area.viewport().width()
    qtbot.waitUntil(lambda: list(cut_off(widget)) == [], timeout=5000)
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


@pytest.mark.parametrize("widget", ["Train"], indirect=True)
@pytest.mark.parametrize("kind", ["refusal", "failure"])
def test_why_it_does_not_go_on_is_in_view(widget: Any, kind: str, qtbot: QtBot) -> None:
    """Also on a small screen, where it is said below the fields."""
    widget.data.blurred.untick()
    if kind == "refusal":
        qtbot.mouseClick(widget.run.start_button, Qt.MouseButton.LeftButton)
    else:
        widget._settings.set_open(True)
        widget._on_failure(Failure(DataError("the images are of another size")))
    label = widget.messages._label

    def seen() -> bool:
        return bool(label.visibleRegion().boundingRect().height() == label.height())

    qtbot.waitUntil(lambda: seen() and bool(widget.messages.text()), timeout=5000)
    assert widget.messages.text()[2].isupper()


def luminance(colour: QColor) -> float:
    """Return the relative luminance, as the Web Content Accessibility Guidelines do."""
    parts = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
             for v in (colour.redF(), colour.greenF(), colour.blueF())]  # fmt: skip
    return float(np.dot((0.2126, 0.7152, 0.0722), parts))


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("widget", ["Train"], indirect=True)
def test_a_box_to_tick_is_seen_where_it_is_empty(
    widget: Any, theme: str, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(get_settings().appearance, "theme", theme)
    widget._viewer.theme = theme
    widget.data.update_values({"make": "layers"})
    sources = widget.data.sharp
    qtbot.waitUntil(sources.isVisible)
    assert sources.sources() == []
    row = sources.visualItemRect(sources.item(0))
    picture = sources.viewport().grab().toImage()
    y = row.center().y()
    box = [luminance(picture.pixelColor(x, y)) for x in range(row.left() + 20)]
    lightest, darkest = max(box), min(box)
    assert (lightest + 0.05) / (darkest + 0.05) >= SEEN


def test_no_label_is_doubled(widget: Any) -> None:
    """The word beside a box to tick is said once."""
    labels = [label for label in widget.findChildren(QLabel) if label.buddy()]
    assert labels or not widget.findChildren(QCheckBox)
    for label in labels:
        text = getattr(label.buddy(), "text", str)
        assert not (isinstance(label.buddy(), QCheckBox) and text())


def test_every_field_explains_itself(widget: Any) -> None:
    for field in widget.findChildren(FIELDS):
        within = isinstance(field.parent(), QAbstractSpinBox | QComboBox)
        assert within or field.toolTip(), f"{type(field).__name__} {field}"
    for pressed in widget.findChildren(QPushButton):
        folds = pressed.isFlat()
        assert folds or pressed.toolTip(), pressed.text()
