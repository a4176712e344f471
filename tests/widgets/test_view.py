"""What is in view, and the preview of a training that follows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_blurgan.estimates import first_look
from napari_blurgan.monitoring import preview
from napari_blurgan.training import trainer
from napari_blurgan.widgets._view import corners_of_view, middle_of_view
from tests.support.docks import finish


@pytest.fixture
def shown(make_napari_viewer: Callable[..., Viewer]) -> Viewer:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(900, 700)
    return viewer


def look_at(viewer: Viewer, z: float, y: float, x: float, zoom: float) -> None:
    """Go to a plane and a place in it, in the world."""
    viewer.dims.set_point(0, z)
    viewer.scene.camera.center = (y, x)
    viewer.scene.camera.zoom = zoom
    for _ in range(3):
        QApplication.processEvents()


def test_the_middle_of_the_view_is_in_voxels_of_the_layer(shown: Viewer) -> None:
    layer = shown.add_image(
        np.zeros((20, 200, 300)), scale=(0.3, 0.1, 0.1), translate=(0, 5, 0)
    )
    look_at(shown, 1.5, 5 + 12, 21, zoom=200)
    low, high = corners_of_view(layer)
    assert 0 < low[1] < 120 < high[1] < 200
    assert middle_of_view(shown, layer) == pytest.approx((5, 120, 210), abs=1)


def test_a_pyramid_is_looked_at_in_its_full_resolution(shown: Viewer) -> None:
    full = np.zeros((4000, 6000), np.uint8)
    layer = shown.add_image([full, full[::4, ::4], full[::16, ::16]], multiscale=True)
    shown.reset_view()
    for _ in range(3):
        QApplication.processEvents()
    assert layer.data_level > 0
    low, high = corners_of_view(layer)
    assert low == pytest.approx((0, 0))
    assert high == pytest.approx((3999, 5999), abs=16)


@pytest.fixture
def small_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (first_look, preview):
        monkeypatch.setattr(module, "FIELD", (8, 16, 16))
    monkeypatch.setattr(trainer, "SHARE_SECONDS", 0.1)


def corner_of(viewer: Viewer) -> Any:
    source, shown = viewer.layers["blurred"], viewer.layers["blurred · preview"]
    return source.world_to_data(shown.data_to_world((0, 0, 0)))


@pytest.mark.person
def test_the_preview_of_a_training_is_of_the_time_point_in_view(
    small_fields: None, training: tuple[Viewer, Any], qtbot: QtBot
) -> None:
    """Also the estimate that is shown first, before there is a network."""
    viewer, widget = training
    finish(widget)
    pixels = viewer.layers["blurred"].data
    film = viewer.add_image(
        np.stack([pixels, 3 * pixels]), name="film", scale=(1, 0.3, 0.1, 0.1),
        axis_labels=("t", "z", "y", "x"), units=("s", "um", "um", "um"),
    )  # fmt: skip
    widget.data.blurred.untick()
    widget.data.blurred.tick(film)
    means = {}
    viewer.dims.set_point(0, 1)
    qtbot.mouseClick(widget.run.start_button, Qt.MouseButton.LeftButton)
    for time in (1, 0, 1):
        viewer.dims.set_point(0, time)

        def seen(time: int = time) -> bool:
            name = "film · preview"
            if name not in viewer.layers:
                return False
            return bool((viewer.layers[name].extent.world[:, 0] == time).all())

        qtbot.waitUntil(seen, timeout=60_000)
        means[time] = viewer.layers["film · preview"].data.mean()
    assert means[1] > 2 * means[0]


@pytest.mark.person
def test_the_preview_of_a_training_follows_the_view(
    small_fields: None, training: tuple[Viewer, Any], qtbot: QtBot
) -> None:
    viewer, widget = training
    viewer.window.resize(900, 700)
    for z, y, x in ((4, 30, 10), (15, 10, 30)):
        look_at(viewer, 0.3 * z, 0.1 * y, 0.1 * x, zoom=400)
        there = np.clip((z - 4, y - 8, x - 8), 0, (12, 24, 24))

        def arrived(there: Any = there) -> bool:
            return bool(np.allclose(corner_of(viewer), there, atol=1.1))

        qtbot.waitUntil(arrived, timeout=60_000)
    moved = viewer.layers["blurred · preview"]
    moved.translate = np.add(moved.translate, (0, 10, 0))  # a person puts it aside
    step = widget.plot.last_step
    qtbot.waitUntil(lambda: widget.plot.last_step > step + 5, timeout=60_000)
    assert corner_of(viewer)[1] > 100
