"""Restore all images of a folder with a trained model.

**What to do.** Choose a model and the folder; its images appear in the table, ticked.
*Start* restores them one after the other. An image that cannot be restored says why in
its row, and does not keep the others from being restored; results that are there
already stay as they are, so that *Start* also goes on with what was cancelled.

**What you get.** OME-TIFF files (OME-Zarr for OME-Zarr) in the folder for results, by
default one called *restored* within that of the images. Double-click a row to open its
result.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, FileEdit
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_blurgan.errors import BlurGANError, DataError
from napari_blurgan.tasks.restore_request import FileState, FolderRequest
from napari_blurgan.widgets import _fields, _forms, _state
from napari_blurgan.widgets._controls import scrolled
from napari_blurgan.widgets._help import help_buttons
from napari_blurgan.widgets._models import named
from napari_blurgan.widgets._task import RunWidget
from napari_blurgan.widgets._worker import explain
from napari_blurgan.writing.names import images_in, result_names

if TYPE_CHECKING:
    import napari

__all__ = ["RestoreFolderWidget"]

COLUMNS = ("Image", "State")
ROWS = 10
"""Rows of the table that are seen at once."""


class RestoreFolderWidget(RunWidget):
    """A folder, a table of its images and how far each of them is.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where results are opened.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer, "restoring a folder")
        self._todo: list[tuple[Path, Path]] = []
        self._running: list[int] = []
        self._build()
        _state.models.added.connect(self.reset_choices)
        self.reset_choices()

    # --- what it shows

    def _build(self) -> None:
        self.form = _forms.Form(
            ComboBox(
                name="model", label="Model", nullable=True,
                choices=lambda widget: named(_state.models.list()),
                tooltip="The model that restores all of them",
            ),
            _folder_field("folder", "Images", "The folder of the images"),
            _folder_field(
                "out", "Results in",
                "A folder for the results; empty for 'restored' beside the images",
            ),
            _fields.device_field(_state.preference("device")),
        )  # fmt: skip
        for name in ("folder", "out"):
            self.form[name].changed.connect(self._list)
        self.table = _Table()
        self.table.itemDoubleClicked.connect(lambda item: self.open_result(item.row()))
        content = QWidget()
        layout = QVBoxLayout(content)
        for widget in (self.form, self.table, self.run, self.messages):
            layout.addWidget(widget)
        layout.addWidget(help_buttons(__name__), alignment=Qt.AlignmentFlag.AlignLeft)
        layout.addStretch()
        scrolled(content, self)
        self.run.start.connect(self._start)

    def reset_choices(self, event: object = None) -> None:
        """Follow the models that there are."""
        self.form["model"].reset_choices()
        recent = _state.models.list()
        self.form.prefer("model", recent[0] if recent else None)

    def take_model(self, model: Path | None) -> None:
        """Choose the model."""
        if model is not None:
            self.form["model"].value = model

    def set_busy(self, busy: bool) -> None:
        """Let the buttons follow; the table stays as it is meanwhile."""
        super().set_busy(busy)
        self.form.setEnabled(not busy)

    # --- what the buttons do

    def _list(self, value: object = None) -> None:
        """Fill the table with the images of the folder, and where they would go."""
        self.messages.reset()
        self._todo = []
        try:
            self._todo = _places(self.form["folder"].value, self.form["out"].value)
        except (BlurGANError, OSError) as error:
            self.messages.refuse(error)
        self.table.fill([source.name for source, _ in self._todo])
        for row, (_, out) in enumerate(self._todo):
            if out.exists():
                self.table.say(row, "✓ restored before")

    def _start(self) -> None:
        self.launch(lambda: self._request().run, self._say_end)

    def _request(self) -> FolderRequest:
        model = self.form["model"].value
        if model is None:
            raise DataError("choose a model: train one first, or take one in Restore")
        self._running = self.table.ticked()
        if not self._running:
            raise DataError("choose a folder of images, and tick some of them")
        return FolderRequest(
            model,
            tuple(self._todo[row] for row in self._running),
            self.form["device"].value,
            _state.memory_limit(),
        )

    def open_result(self, row: int) -> None:
        """Open the result of a row in the viewer, if there is one."""
        out = self._todo[row][1]
        if out.exists():
            self._viewer.open(str(out), plugin="napari-blurgan")

    # --- what the engine reports

    def heard(self, events: list[Any]) -> None:
        """Show how far each file is."""
        for event in events:
            self._show(event)

    def _show(self, state: FileState) -> None:
        row = self._running[state.number]
        if state.error is not None:
            self.table.say(row, f"✖ {explain(state.error)}")
        elif state.result is not None:
            self.table.say(row, f"✓ {state.note or 'restored'}")
        else:
            self.table.say(row, f"restoring, {state.share:.0%}")
        over = state.number + (state.result is not None or state.error is not None)
        self.run.show_progress(
            max(over, state.number + state.share) / len(self._running),
            f"Image {state.number + 1} of {len(self._running)}",
        )

    def _say_end(self, done: int) -> None:
        rest = len(self._running) - done
        others = f", {rest} not: see the table" if rest else ""
        self.run.say(f"{done} restored{others}.")

    def _ended(self) -> None:
        for row in self._running:
            self.table.forget_unfinished(row)
        super()._ended()


class _Table(QTableWidget):
    """Images to tick, and the state of each."""

    def __init__(self) -> None:
        super().__init__(0, len(COLUMNS))
        self.setHorizontalHeaderLabels(COLUMNS)
        self.setAccessibleName("Images and their state")
        self.setToolTip("Ticked images are restored; double-click to open a result")
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        _forms.show_focus(self, "QTableWidget")
        _forms.show_empty_boxes(self, "QTableWidget")
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        for column in range(len(COLUMNS)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        self.setMinimumHeight(ROWS * self.fontMetrics().lineSpacing() * 2)

    def fill(self, names: Sequence[str]) -> None:
        """Show images, all of them ticked and waiting."""
        self.setRowCount(len(names))
        for row, name in enumerate(names):
            item = QTableWidgetItem(name)
            item.setToolTip(name)
            item.setCheckState(Qt.CheckState.Checked)
            self.setItem(row, 0, item)
            self.say(row, "")

    def ticked(self) -> list[int]:
        """Return the rows that are ticked."""
        checked = Qt.CheckState.Checked
        rows = range(self.rowCount())
        return [row for row in rows if self._item(row).checkState() == checked]

    def say(self, row: int, words: str) -> None:
        """Show the state of an image."""
        item = QTableWidgetItem(words)
        item.setToolTip(words)
        self.setItem(row, 1, item)
        self.resizeRowToContents(row)

    def state(self, row: int) -> str:
        """Return what is said of an image."""
        return self._item(row, 1).text()

    def forget_unfinished(self, row: int) -> None:
        """Say nothing more of an image that was cancelled."""
        if self.state(row).startswith("restoring"):
            self.say(row, "cancelled")

    def _item(self, row: int, column: int = 0) -> QTableWidgetItem:
        item = self.item(row, column)
        assert item is not None  # `fill` has filled every row
        return item


def _folder_field(name: str, label: str, tooltip: str) -> FileEdit:
    field = FileEdit(name=name, label=label, mode="d", nullable=True, tooltip=tooltip)
    field.choose_btn.text = "Choose…"
    for part in (field.line_edit, field.choose_btn):
        part.tooltip = tooltip
    return field


def _places(folder: Path | None, out: Path | None) -> list[tuple[Path, Path]]:
    """Return the images of a folder, each with the place of its result."""
    if folder is None or not folder.is_dir():
        return []
    images = images_in(folder)
    if not images:
        raise DataError(f"{folder}: holds no images that can be read here")
    return list(result_names(images, out or folder / "restored"))
