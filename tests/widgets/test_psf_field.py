"""Any image layer or file is taken as a PSF, by whoever asks for one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari import Viewer
from napari.utils.notifications import notification_manager
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QFileDialog
from scipy.ndimage import gaussian_filter

from napari_blurgan import Psf
from napari_blurgan.errors import OpticsError
from napari_blurgan.widgets._layers import to_psf
from napari_blurgan.widgets._psf_field import FILE, OTHER
from tests.support.docks import opened

VOXEL = (0.3, 0.1, 0.1)
PLACE = {"scale": VOXEL, "units": ("um",) * 3}
FIELDS = {
    "Deconvolve": lambda widget: widget.form["psf"],
    "Restore": lambda widget: widget.advanced["psf"],
    "Train": lambda widget: widget.advanced["psf"],
    "PSF": lambda widget: widget.look["psf"],
}


def spot(shape: tuple[int, ...] = (15, 21, 21), off: Any = (0, 0, 0)) -> Any:
    point = np.zeros(shape)
    point[tuple(n // 2 + o for n, o in zip(shape, off, strict=True))] = 1
    return gaussian_filter(point, (2, 1.6, 1.6))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "objective.ome.tif"
    Psf(spot(), VOXEL).save(path)
    return path


@pytest.fixture(params=FIELDS)
def field(request: pytest.FixtureRequest, viewer: Viewer) -> Any:
    widget = opened(viewer, request.param)
    form = getattr(widget, "form", None)
    if form is not None and "layer" in form.values():
        form["layer"].value = viewer.layers["blurred"]
    return FIELDS[request.param](widget)


def pick(field: Any, text: str, qtbot: QtBot) -> None:
    """Open the list and click an entry of it."""
    box = field.native
    box.showPopup()
    row = box.findText(text)
    view = box.view()
    view.scrollTo(view.model().index(row, 0))
    QApplication.processEvents()
    place = view.visualRect(view.model().index(row, 0)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QApplication.processEvents()


def test_a_layer_that_was_opened_from_a_file_is_offered(
    viewer: Viewer, field: Any, saved: Path
) -> None:
    (layer,) = viewer.open(saved, plugin="napari-blurgan")
    assert layer in field.choices
    field.value = layer
    assert field.value is layer
    layer.name = "renamed"
    assert field.value is layer
    viewer.layers.remove(layer)
    assert field.value is None


def test_a_file_is_opened_as_a_layer_beside_the_image(
    viewer: Viewer,
    field: Any,
    saved: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(saved), ""))
    heard = []
    field.changed.connect(heard.append)
    pick(field, FILE, qtbot)
    layer = field.value
    assert layer.name == "PSF objective.ome.tif"
    assert heard[-1] is layer
    assert FILE not in heard
    np.testing.assert_allclose(to_psf(layer).data, Psf.load(saved).data)
    left = layer.extent.world[0, -1]
    assert left > viewer.layers["blurred"].extent.world[1, -1]


def test_nothing_changes_when_no_file_is_chosen(
    viewer: Viewer, field: Any, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    layer = viewer.add_image(spot(), name="mine", **PLACE)
    field.value = layer
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: ("", ""))
    pick(field, FILE, qtbot)
    assert field.value.name == layer.name


def test_a_file_that_is_no_psf_is_reported(
    viewer: Viewer,
    field: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
) -> None:
    path = tmp_path / "negative.ome.tif"
    tifffile.imwrite(path, -spot().astype(np.float32), imagej=False)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(path), ""))
    pick(field, FILE, qtbot)
    assert field.value is None
    assert "negative.ome.tif" in notification_manager.records[-1].message


def test_a_file_without_a_voxel_size_is_opened_and_asked_for(
    make_napari_viewer: Callable[..., Viewer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
) -> None:
    viewer = make_napari_viewer()
    cells = viewer.add_image(np.zeros((9, 32, 32)), name="cells", **PLACE)
    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, spot().astype(np.float32))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(path), ""))
    widget = opened(viewer, "Deconvolve")
    widget.form["layer"].value = cells
    pick(widget.form["psf"], FILE, qtbot)
    layer = widget.form["psf"].value
    assert layer.name == "PSF plain.tif"
    assert not widget.voxels.isHidden()
    for axis, size in zip("zyx", VOXEL, strict=True):
        widget.voxels.fields[axis].setValue(size)
    qtbot.mouseClick(widget.voxels.set_button, Qt.MouseButton.LeftButton)
    assert to_psf(layer).voxel_size == VOXEL


def test_ours_stand_first_and_the_heading_cannot_be_chosen(
    viewer: Viewer, field: Any, qtbot: QtBot
) -> None:
    names = [getattr(c, "name", c) for c in field.choices]
    assert names[-1] == FILE
    assert names.index(OTHER) < names.index("blurred")
    pick(field, OTHER, qtbot)
    assert field.value is None


def test_layers_are_checked_as_files_are(viewer: Viewer) -> None:
    negative = viewer.add_image(spot() - 0.1, name="negative", **PLACE)
    with pytest.raises(OpticsError, match=r"negative: .*background"):
        to_psf(negative)
    many = viewer.add_image(np.ones((3, 5, 5, 5)), name="many", scale=(1, *VOXEL))
    with pytest.raises(OpticsError, match="one volume or plane"):
        to_psf(many)
    single = viewer.add_image(spot()[None], name="single", scale=(1, *VOXEL))
    assert to_psf(single).shape == (15, 21, 21)
    unknown = viewer.add_image(spot(), name="unknown")
    with pytest.raises(OpticsError, match="needs its voxel size"):
        to_psf(unknown)
