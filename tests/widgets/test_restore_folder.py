"""Restoring a folder, as a person does it in real napari."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

from napari_blurgan import restore
from napari_blurgan.reading.images import read_stack
from napari_blurgan.tasks.restore_request import FolderRequest
from napari_blurgan.widgets import _state
from napari_blurgan.widgets._controls import Phase
from napari_blurgan.widgets.restore_folder import RestoreFolderWidget
from napari_blurgan.writing.ome_tiff import write_ome_tiff
from tests.support.docks import finish, opened

VOXEL = (0.3, 0.1, 0.1)


@pytest.fixture
def folder(tmp_path: Path, volumes: tuple[np.ndarray, np.ndarray]) -> Path:
    """Return a folder of two images, a damaged one and one of colours."""
    made = tmp_path / "day 1"
    made.mkdir()
    for number in (1, 3):
        pixels = number * volumes[0].astype(np.float32)
        write_ome_tiff(made / f"cell {number}.ome.tif", pixels, "ZYX", VOXEL)
    whole = (made / "cell 1.ome.tif").read_bytes()
    (made / "cell 2.tif").write_bytes(whole[: len(whole) // 2])
    (made / "notes.txt").write_text("no image")
    return made


@pytest.fixture
def widget(viewer: Viewer, model_folder: Path, qtbot: QtBot) -> Iterator[Any]:
    """Open the dock by the button of Restore."""
    _state.models.add(model_folder)
    restoring = opened(viewer, "Restore")
    qtbot.mouseClick(restoring.folder_button, Qt.MouseButton.LeftButton)
    (widget,) = restoring.window().findChildren(RestoreFolderWidget)
    yield widget
    finish(widget)


@pytest.fixture
def start(widget: Any, qtbot: QtBot) -> Callable[[], None]:
    def press() -> None:
        qtbot.mouseClick(widget.run.start_button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: widget.run.phase is Phase.IDLE, timeout=60_000)

    return press


def states(widget: Any) -> list[str]:
    return [widget.table.state(row) for row in range(widget.table.rowCount())]


def test_every_image_is_restored_or_says_why_not(
    viewer: Viewer, widget: Any, start: Callable[[], None], folder: Path, qtbot: QtBot
) -> None:
    widget.form["folder"].value = folder
    assert widget.table.rowCount() == 3
    assert states(widget) == ["", "", ""]
    start()
    first, damaged, last = states(widget)
    assert first.startswith("✓")
    assert last.startswith("✓")
    assert damaged.startswith("✖")
    assert "cell 2.tif" in damaged
    assert widget.run.words.text() == "2 restored, 1 not: see the table."

    place = folder / "restored" / "cell 3.ome.tif"
    model = widget.form["model"].value
    alone = restore(model, folder / "cell 3.ome.tif")
    np.testing.assert_array_equal(np.asarray(read_stack(place)), np.asarray(alone))

    table = widget.table
    spot = table.visualItemRect(table.item(2, 0)).center()
    for event in (qtbot.mouseClick, qtbot.mouseDClick):
        event(table.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    (opened,) = (x for x in viewer.layers if x.source.path == str(place))
    assert opened.scale == pytest.approx(VOXEL)


def test_what_is_there_stays_and_what_is_not_ticked_is_left_out(
    widget: Any, start: Callable[[], None], folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "results"
    out.mkdir()
    (out / "cell 1.ome.tif").write_bytes(b"mine")
    widget.form["folder"].value = folder
    widget.form["out"].value = out
    assert states(widget)[0] == "✓ restored before"
    widget.table.item(1, 0).setCheckState(Qt.CheckState.Unchecked)
    start()
    assert (out / "cell 1.ome.tif").read_bytes() == b"mine"
    assert "stays" in states(widget)[0]
    assert states(widget)[1] == ""
    assert sorted(p.name for p in out.iterdir()) == ["cell 1.ome.tif", "cell 3.ome.tif"]


def test_cancelled_it_leaves_whole_results_only(
    widget: Any, folder: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, real = qtbot.wait, FolderRequest._restored

    def restored(self: Any, model: Any, number: int, report: Any) -> str:
        note = real(self, model, number, report)
        while number == 2:  # until the next report raises
            report(None)
        return note

    monkeypatch.setattr(FolderRequest, "_restored", restored)
    monkeypatch.setattr(type(widget), "_show", _unless_none(type(widget)._show))
    widget.form["folder"].value = folder
    qtbot.mouseClick(widget.run.start_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "restoring" in states(widget)[2], timeout=60_000)
    qtbot.mouseClick(widget.run.stop_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: widget.run.phase is Phase.IDLE, timeout=60_000)
    slow(10)
    assert states(widget)[0].startswith("✓")
    assert states(widget)[2] == "cancelled"
    assert widget.run.words.text() == "Cancelled."


def _unless_none(show: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    return lambda widget, state: None if state is None else show(widget, state)


@pytest.mark.parametrize(("inside", "words"), [("empty", "no images"), (None, "tick")])
def test_what_is_missing_is_said(
    widget: Any, qtbot: QtBot, tmp_path: Path, inside: str | None, words: str
) -> None:
    if inside:
        (tmp_path / inside).mkdir()
        widget.form["folder"].value = tmp_path / inside
    else:
        qtbot.mouseClick(widget.run.start_button, Qt.MouseButton.LeftButton)
    assert words in widget.messages.text()
    assert widget.run.phase is Phase.IDLE


def test_it_is_a_tab_with_help_and_takes_the_model_of_restore(
    viewer: Viewer, widget: Any, model_folder: Path
) -> None:
    assert widget.form["model"].value == model_folder
    assert {"?", "Log…"} <= {b.text() for b in widget.findChildren(QPushButton)}
