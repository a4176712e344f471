"""Files dropped on napari: voxel size and axes survive, whoever reads them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari import Viewer
from napari.components import ViewerModel
from napari.settings import get_settings
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QApplication, QDialogButtonBox

from napari_blurgan.widgets._layers import to_stack
from napari_blurgan.widgets._voxel_size import VoxelSizeForm

VOXEL = (0.3, 0.1, 0.1)
IMAGE = np.random.default_rng(0).integers(0, 1000, (5, 20, 30)).astype(np.uint16)


def fiji(path: Path, image: np.ndarray = IMAGE, axes: str = "ZYX", **more: Any) -> None:
    metadata = {"axes": axes, "spacing": 0.3, "unit": "um", **more}
    tifffile.imwrite(path, image, imagej=True, resolution=(10, 10), metadata=metadata)


def lsm(path: Path) -> None:
    size = {"VoxelSizeX": 1e-7, "VoxelSizeY": 1e-7, "VoxelSizeZ": 3e-7}
    known = {
        "MagicNumber": 67127628,
        "DimensionX": 30,
        "DimensionY": 20,
        "DimensionZ": 5,
        "DimensionChannels": 1,
        "DimensionTime": 1,
        "DataType": 2,
        "ThumbnailX": 16,
        "ThumbnailY": 12,
        **size,
    }
    info = b"".join(
        np.array(known.get(name, 0)).astype("<" + kind).tobytes()
        for name, kind in tifffile.TIFF.CZ_LSMINFO
        if kind[0] in "iuf"
    )
    info = info[:4] + struct.pack("<i", len(info)) + info[8:]
    plain = {"metadata": None, "photometric": "minisblack"}
    with tifffile.TiffWriter(path, byteorder="<") as file:
        for i, plane in enumerate(IMAGE):
            tag = [(34412, 7, len(info), info, True)] if i == 0 else []
            file.write(plane, extratags=tag, **plain)
            file.write(plane[:12, :16], subfiletype=1, **plain)


@pytest.fixture
def no_preference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_settings().plugins, "extension2reader", {})


def accept(seen: Any) -> None:
    """Tick that the choice is remembered, and press OK in napari's dialog."""
    dialog = QApplication.activeModalWidget()
    if dialog is None:
        QTimer.singleShot(50, lambda: accept(seen))
        return
    seen += [button.text() for button in dialog.reader_btn_group.buttons()]
    dialog.persist_checkbox.setChecked(True)
    dialog.btn_box.button(QDialogButtonBox.StandardButton.Ok).click()


def drop(viewer: Viewer, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    viewer.window._qt_viewer.dropEvent(event)


@pytest.mark.person
# PySide6 deprecates the constructor, and offers no other that takes a position.
@pytest.mark.filterwarnings("ignore:.*QDrop.*is marked as deprecated")
@pytest.mark.parametrize(
    ("name", "write"), [("fiji.tif", fiji), ("fiji.TIFF", fiji), ("zeiss.lsm", lsm)]
)
def test_a_dropped_file_keeps_its_voxel_size(
    make_napari_viewer: Callable[..., Viewer],
    tmp_path: Path,
    no_preference: None,
    name: str,
    write: Callable[..., Any],
) -> None:
    write(tmp_path / name)
    viewer, offered = make_napari_viewer(), []
    QTimer.singleShot(50, lambda: accept(offered))
    drop(viewer, tmp_path / name)
    (layer,) = viewer.layers
    assert offered[0] == "BlurGAN"  # which OK takes
    np.testing.assert_array_equal(np.asarray(layer.data[...]), IMAGE)
    np.testing.assert_allclose(layer.scale, VOXEL)
    assert {str(u) for u in layer.units} == {"micrometer"}
    assert get_settings().plugins.extension2reader
    drop(viewer, tmp_path / name)  # asks no more
    assert len(viewer.layers) == 2


def opened(path: Path, plugin: Any = "napari-blurgan") -> Any:
    return list(ViewerModel().open(path, plugin=plugin))


def test_a_stack_is_as_bright_as_its_planes_in_focus(tmp_path: Path) -> None:
    """Its first plane, which napari goes by, is dark."""
    z = np.arange(-20, 21).reshape(-1, 1, 1)
    spots = np.random.default_rng(0).poisson(3, (41, 64, 64)) * np.exp(-((z / 9) ** 2))
    image = (100 + 1000 * spots).astype(np.uint16)
    fiji(tmp_path / "spots.tif", image)
    (layer,) = opened(tmp_path / "spots.tif")
    low, high = layer.contrast_limits
    true_low, true_high = np.percentile(image, (0.5, 99.9))
    assert low == pytest.approx(true_low, abs=0.01 * true_high)
    assert high == pytest.approx(true_high, rel=0.1)


@pytest.mark.parametrize("value", [7, 0])
def test_an_image_of_one_value_opens(tmp_path: Path, value: int) -> None:
    fiji(tmp_path / "flat.tif", np.full((4, 8, 8), value, np.uint16))
    (layer,) = opened(tmp_path / "flat.tif")
    assert layer.contrast_limits[0] < layer.contrast_limits[1]


def test_channels_come_in_their_own_colours_additive(tmp_path: Path) -> None:
    image = np.stack([IMAGE, IMAGE + 1], 1)
    red, green = (np.zeros((3, 256), np.uint8) for _ in range(2))
    red[0] = green[1] = np.arange(256)
    fiji(tmp_path / "two.tif", image, "ZCYX", LUTs=[red, green], mode="composite")
    first, second = opened(tmp_path / "two.tif")
    assert [layer.name for layer in (first, second)] == [
        "two, channel 0", "two, channel 1",
    ]  # fmt: skip
    np.testing.assert_allclose(first.colormap.colors[-1], (1, 0, 0, 1))
    np.testing.assert_allclose(second.colormap.colors[-1], (0, 1, 0, 1))
    assert {str(layer.blending) for layer in (first, second)} == {"additive"}
    np.testing.assert_allclose(second.scale, VOXEL)


@pytest.mark.parametrize(("colours", "expected"), [
    ([-16776961, 16711935], [(1, 0, 0, 1), (0, 1, 0, 1)]),
    ([-1, -1], [(0, 1, 1, 1), (1, 0, 1, 1)]),
])  # fmt: skip
def test_colours_of_ome_tiff(
    tmp_path: Path, colours: list[int], expected: list[tuple[int, int, int, int]]
) -> None:
    path = tmp_path / "two.ome.tif"
    metadata = {"axes": "CYX", "Channel": {"Name": ["a", "b"], "Color": colours}}
    tifffile.imwrite(path, IMAGE[:2], ome=True, metadata=metadata)
    layers = opened(path)
    assert [layer.name for layer in layers] == ["two, a", "two, b"]
    for layer, colour in zip(layers, expected, strict=True):
        np.testing.assert_allclose(layer.colormap.colors[-1], colour)


def test_one_channel_stays_grey(tmp_path: Path) -> None:
    fiji(tmp_path / "one.tif")
    (layer,) = opened(tmp_path / "one.tif")
    assert layer.colormap.name == "gray"
    assert str(layer.blending) != "additive"


@pytest.mark.parametrize("shape", [(5, 20, 30), (6, 5, 20, 30), (7, 6, 5, 20, 30)])
def test_stacks_that_napari_saved_are_opened(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    data = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    source = ViewerModel()
    path = str(tmp_path / "saved.tif")
    source.add_image(data, name="saved").save(path, plugin="napari")
    (layer,) = opened(path)
    np.testing.assert_array_equal(np.asarray(layer.data[...]), data)


def test_what_napari_read_takes_its_voxel_size_from_the_file(
    qtbot: QtBot, tmp_path: Path
) -> None:
    fiji(tmp_path / "fiji.tif")
    viewer = ViewerModel()
    (layer,) = viewer.open(tmp_path / "fiji.tif", plugin="napari")
    np.testing.assert_allclose(layer.scale, 1)
    form = VoxelSizeForm(viewer)
    qtbot.addWidget(form)
    form.look_at([layer])
    stack = to_stack(layer)
    assert (stack.axes, stack.voxel_size) == ("ZYX", VOXEL)
    assert "taken from fiji.tif" in form._taken.text()
    assert form._asked.isHidden()


def test_what_was_drawn_on_an_image_goes_on_fitting(
    qtbot: QtBot, tmp_path: Path
) -> None:
    fiji(tmp_path / "fiji.tif")
    viewer = ViewerModel()
    (layer,) = viewer.open(tmp_path / "fiji.tif", plugin="napari")
    viewer.add_points(np.zeros((1, 3)))
    form = VoxelSizeForm(viewer)
    qtbot.addWidget(form)
    form.look_at([layer])
    np.testing.assert_allclose(layer.scale, 1)
    assert form.size() == VOXEL
    form.set_button.click()
    np.testing.assert_allclose(layer.scale, VOXEL)


@pytest.mark.parametrize("change", ["scale", "pixels"])
def test_what_somebody_has_changed_stays(
    qtbot: QtBot, tmp_path: Path, change: str
) -> None:
    fiji(tmp_path / "fiji.tif")
    viewer = ViewerModel()
    (layer,) = viewer.open(tmp_path / "fiji.tif", plugin="napari")
    if change == "scale":
        layer.scale = (2, 1, 1)
    else:
        layer.data = layer.data[:, ::2]
    scale = tuple(layer.scale)
    form = VoxelSizeForm(viewer)
    qtbot.addWidget(form)
    form.look_at([layer])
    assert tuple(layer.scale) == scale
    assert not form._taken.text()
