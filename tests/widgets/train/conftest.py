"""The Train widget, filled in; what a person does with it, and waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from napari import Viewer
from napari.layers import Image
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

from napari_blurgan.widgets.train import TrainWidget
from tests.support.docks import finish, idle, opened


@pytest.fixture
def widget(viewer: Viewer, small: str, qtbot: QtBot) -> Iterator[TrainWidget]:
    widget = opened(viewer, "Train")
    widget.data.blurred.tick(viewer.layers["blurred"])
    widget.data.sharp.tick(viewer.layers["sharp"])
    widget.data.update_values({"make": "layers", "optics": {"known": True}})
    widget.advanced.update_values({"changes": small, "device": "cpu"})
    yield widget
    finish(widget)


@pytest.fixture
def click(qtbot: QtBot) -> Callable[[QPushButton], None]:
    return lambda button: qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.fixture
def until(qtbot: QtBot, widget: TrainWidget) -> Callable[[Callable[[], bool]], None]:
    """Wait for something to happen, but not beyond the end of the training."""

    def wait(condition: Callable[[], bool]) -> None:
        qtbot.waitUntil(lambda: condition() or idle(widget), timeout=60_000)
        assert condition(), widget.messages.details

    return wait


@pytest.fixture
def bare(viewer: Viewer, widget: TrainWidget) -> Image:
    """Return the blurred layer without a voxel size, ticked alone."""
    pixels = viewer.layers["blurred"].data
    layer = viewer.add_image(pixels, name="bare")
    widget.data.optics.setChecked(False)
    for sources in (widget.data.blurred, widget.data.sharp):
        sources.untick()
    widget.data.blurred.tick(layer)
    return layer
