"""The list of images: ticked layers, dropped files, and what stays when layers go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent

from napari_blurgan.widgets._layers import METADATA_KEY
from napari_blurgan.widgets._sources import SourceList
from napari_blurgan.writing.ome_tiff import write_ome_tiff


@pytest.fixture
def viewer() -> ViewerModel:
    viewer = ViewerModel()
    viewer.add_image(np.zeros((5, 20, 20)), name="a", scale=(0.3, 0.1, 0.1))
    viewer.add_image(np.zeros((5, 20, 20)), name="b")
    viewer.add_points(np.zeros((1, 3)), name="points")
    return viewer


@pytest.fixture
def sources(qtbot: QtBot, viewer: ViewerModel) -> SourceList:
    widget = SourceList(viewer, "images")
    qtbot.addWidget(widget)
    return widget


def drop(widget: Any, mime: Any) -> None:
    event = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    widget.dropEvent(event)
    assert event.isAccepted()


def names(sources: Any) -> Any:
    return [sources.item(row).text() for row in range(sources.count())]


def test_only_images_are_listed_and_none_is_ticked(sources: SourceList) -> None:
    assert names(sources) == ["a", "b"]
    assert sources.stacks() == []


def test_previews_and_psfs_of_ours_are_no_sources(
    viewer: ViewerModel, sources: SourceList
) -> None:
    ours = {METADATA_KEY: {"made": "preview"}}
    viewer.add_image(np.zeros((5, 20, 20)), name="a · preview", metadata=ours)
    sources.reset_choices()
    assert names(sources) == ["a", "b"]


def test_ticks_survive_renaming_and_go_with_their_layer(
    viewer: ViewerModel, sources: SourceList, qtbot: QtBot
) -> None:
    sources.tick(viewer.layers["a"], viewer.layers["b"])
    viewer.layers["a"].name = "renamed"
    sources.reset_choices()
    assert [s.name for s in sources.stacks()] == ["renamed", "b"]
    viewer.layers.remove("b")
    with qtbot.waitSignal(sources.changed, timeout=1000):
        sources.reset_choices()
    assert [s.name for s in sources.stacks()] == ["renamed"]


def test_a_dropped_tiff_is_read_with_its_voxel_size(
    sources: SourceList, tmp_path: Path
) -> None:
    path = tmp_path / "cell.ome.tif"
    write_ome_tiff(path, np.ones((3, 8, 9), np.uint16), "ZYX", (0.5, 0.1, 0.1))
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    drop(sources, mime)
    (stack,) = sources.stacks()
    assert (stack.axes, stack.voxel_size) == ("ZYX", (0.5, 0.1, 0.1))
    sources.reset_choices()
    assert sources.sources() == [path]


def test_layers_dropped_from_the_layer_list_are_ticked(
    viewer: ViewerModel, sources: SourceList, qtbot: QtBot
) -> None:
    from napari._qt.containers import QtListModel

    model = QtListModel(viewer.layers)
    index = model.index(0, 0)
    drop(sources, model.mimeData([index]))
    assert [layer.name for layer in sources.layers()] == ["a"]


def test_the_tooltip_tells_size_and_what_is_missing(sources: SourceList) -> None:
    assert "0.3 × 0.1 × 0.1 µm" in sources.item(0).toolTip()
    assert "voxel size unknown" in sources.item(1).toolTip()


def test_an_unreadable_file_says_why(sources: SourceList, tmp_path: Path) -> None:
    path = tmp_path / "notes.tif"
    path.write_text("no image")
    sources.tick(path)
    assert "notes.tif" in sources.item(2).toolTip()


def test_a_damaged_file_cannot_be_ticked(
    sources: SourceList, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "cut.tif"
    write_ome_tiff(path, np.ones((3, 80, 90), np.uint16), "ZYX", (0.5, 0.1, 0.1))
    path.write_bytes(path.read_bytes()[:200])
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    before = sources.sources()
    drop(sources, mime)
    assert sources.item(2).text() == "⚠ cut.tif: cannot be read"
    place = sources.visualItemRect(sources.item(2))
    for x in range(place.left() + 2, place.left() + 30, 4):  # where a box would be
        pos = QPoint(x, place.center().y())
        qtbot.mouseClick(sources.viewport(), Qt.MouseButton.LeftButton, pos=pos)
    sources.reset_choices()
    assert sources.sources() == before
