"""A plane and a time series of planes, with the widgets that people use for stacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

from tests.support.docks import finish, idle, opened

pytestmark = pytest.mark.person

SIZE = {"scale": (0.1, 0.1), "units": ("um",) * 2}
TIMES = 3
KINDS = ("plane", "series")


@pytest.fixture(params=KINDS)
def layer(
    request: pytest.FixtureRequest,
    make_napari_viewer: Callable[..., Viewer],
    volumes: tuple[np.ndarray, np.ndarray],
) -> Image:
    """Return a blurred plane, or a few of them in time; a sharp one is beside it."""
    viewer = make_napari_viewer()
    blurred, sharp = (np.asarray(v)[:TIMES].max(0) + v[10:13] for v in volumes)
    viewer.add_image(sharp[0], name="sharp", **SIZE)
    if request.param == "plane":
        return viewer.add_image(blurred[0], name="cell", **SIZE)
    return viewer.add_image(
        blurred,
        name="cell",
        scale=(1, 0.1, 0.1),
        units=("s", "um", "um"),
        axis_labels=("t", "y", "x"),
    )


@pytest.fixture
def viewer(layer: Image, make_napari_viewer: Any) -> Viewer:
    from napari import current_viewer

    found = current_viewer()
    assert found is not None
    return found


@pytest.fixture
def dock(viewer: Viewer) -> Iterator[Callable[[str], Any]]:
    """Return what opens a widget, and finishes what it does in the end."""
    found = []

    def open_one(name: str) -> Any:
        found.append(opened(viewer, name))
        return found[-1]

    yield open_one
    for widget in found:
        finish(widget)


@pytest.fixture
def click(qtbot: QtBot) -> Callable[[QPushButton], None]:
    return lambda button: qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_train_restore_and_deconvolve(
    viewer: Viewer,
    layer: Image,
    dock: Callable[[str], Any],
    click: Callable[[QPushButton], None],
    small: str,
    qtbot: QtBot,
) -> None:
    train = dock("Train")
    train.data.blurred.untick()
    train.data.blurred.tick(layer)
    train.data.sharp.tick(viewer.layers["sharp"])
    train.data.update_values({"make": "layers", "optics": {"known": True}})
    train.advanced.update_values({"changes": small, "device": "cpu"})
    qtbot.waitUntil(lambda: not train.missing.pending)
    assert not train.missing.text()
    click(train.run.start_button)
    qtbot.waitUntil(lambda: train.plot.last_step > 2 or idle(train), timeout=60_000)
    assert not idle(train), train.messages.details
    assert "in z" not in train.psf.text()
    click(train.run.stop_button)
    qtbot.waitUntil(lambda: idle(train), timeout=60_000)
    assert viewer.layers["cell · preview"].data.shape[-2:] == layer.data.shape[-2:]

    restore = dock("Restore")
    restore.take_layer(layer)
    click(restore.run.start_button)
    qtbot.waitUntil(lambda: idle(restore), timeout=60_000)
    assert not restore.messages.details
    restored = viewer.layers["cell · restored"]

    psf = dock("PSF")
    psf.form["layer"].value = layer
    click(psf.make_button)
    qtbot.waitUntil(lambda: psf._job is None, timeout=60_000)

    deconvolve = dock("Deconvolve")
    deconvolve.form["layer"].value = layer
    deconvolve.parameters["iterations"].value = 3
    click(deconvolve.run.start_button)
    qtbot.waitUntil(lambda: idle(deconvolve), timeout=60_000)
    for result in (restored, viewer.layers["cell · deconvolved"]):
        assert result.data.shape == layer.data.shape
        np.testing.assert_allclose(result.extent.world, layer.extent.world)
        assert (result.units, result.axis_labels) == (layer.units, layer.axis_labels)
