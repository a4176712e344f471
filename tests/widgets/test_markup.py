"""A layer may be called anything: its name is shown, never taken for markup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtGui import QTextDocumentFragment
from qtpy.QtWidgets import QApplication, QLabel, QListWidget

from napari_blurgan.widgets._words import escaped, plain
from tests.support.docks import opened

NAME = "<b>x</b><img src='file:///etc/x.png'><a href='x'>y</a>"


def shown(label: Any) -> Any:
    """Return what a person reads."""
    if label.textFormat() != Qt.TextFormat.PlainText and Qt.mightBeRichText(
        label.text()
    ):
        return QTextDocumentFragment.fromHtml(label.text()).toPlainText()
    return label.text()


@pytest.mark.parametrize("name", ["Train", "Restore", "Deconvolve", "PSF", "Compare"])
def test_names_of_layers_are_no_markup(
    make_napari_viewer: Callable[..., Viewer], name: str
) -> None:
    viewer = make_napari_viewer(show=False)
    odd = np.full((3, 12, 12), np.nan, np.float32)
    viewer.add_image(odd, name=NAME, scale=(0.3, 0.1, 0.1))
    viewer.add_image(odd, name=f"{NAME} 2", scale=(1, 1, 1))
    widget = opened(viewer, name)
    QApplication.processEvents()
    for label in widget.findChildren(QLabel):
        if "x</b>" in label.text() or "&lt;b>x" in label.text():
            assert NAME in shown(label)
    for source in widget.findChildren(QListWidget):
        for row in range(source.count()):
            tip = source.item(row).toolTip()
            assert "<b>" not in tip and "<img" not in tip


def test_a_label_shows_text_as_it_is(qtbot: QtBot) -> None:
    label = plain(NAME)
    qtbot.addWidget(label)
    assert shown(label) == NAME
    label.setTextFormat(Qt.TextFormat.AutoText)
    label.setText(f"<i>{escaped(NAME)}</i>")
    assert shown(label) == NAME
