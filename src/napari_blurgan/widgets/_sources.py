"""`SourceList`: tick layers, or drop files and layers on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QWidget

from napari_blurgan.axes import VoxelSize
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError, BlurGANError
from napari_blurgan.reading.images import read_stack
from napari_blurgan.widgets._forms import show_empty_boxes
from napari_blurgan.widgets._layers import (
    is_measured,
    is_source,
    summary,
    to_stack,
)
from napari_blurgan.widgets._words import escaped

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

__all__ = ["SourceList"]

ROWS = 3
SOURCE = Qt.ItemDataRole.UserRole
TICKABLE = Qt.ItemFlag.ItemIsUserCheckable


class SourceList(QListWidget):
    """The image layers of the viewer, to be ticked, and files dropped from outside.

    Parameters
    ----------
    viewer : napari viewer
        Whose layers are listed.
    tooltip : str
        What the images are for.
    """

    changed = Signal()
    """Emitted when the set of ticked images has changed."""

    def __init__(
        self, viewer: ViewerModel, tooltip: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._sizes: dict[Path, VoxelSize] = {}
        self.setToolTip(f"{tooltip}\nFiles and layers can be dropped here.")
        self.setAccessibleName(tooltip)
        show_empty_boxes(self, "QListWidget")
        self.setAcceptDrops(True)
        self.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setFixedHeight(ROWS * self.fontMetrics().lineSpacing() * 3 // 2 + 8)
        self.itemChanged.connect(lambda item: self.changed.emit())
        self.reset_choices()

    def reset_choices(self, event: object = None) -> None:
        """List the layers as they are now; what was ticked and is left stays ticked."""
        ticked = self.sources()
        files = [s for s in self._all() if isinstance(s, Path)]
        self.blockSignals(True)
        self.clear()
        for source in [*filter(is_source, self._viewer.layers), *files]:
            self._append(source, ticked=source in ticked)
        self.blockSignals(False)
        if self.sources() != ticked:
            self.changed.emit()

    def sources(self) -> list[Any]:
        """Return the ticked layers and paths."""
        items = [self.item(row) for row in range(self.count())]
        ticked = Qt.CheckState.Checked
        return [item.data(SOURCE) for item in items if item.checkState() == ticked]

    def layers(self) -> list[Image]:
        """Return the ticked layers."""
        return [s for s in self.sources() if not isinstance(s, Path)]

    def stacks(self, axes: str | None = None) -> list[Stack]:
        """Return the ticked images as stacks, unread; files must be readable."""
        return [self._stack(source, axes) for source in self.sources()]

    def tick(self, *sources: Any) -> None:
        """Tick layers and paths; paths that are not listed yet are added."""
        for source in sources:
            if source not in self._all() and isinstance(source, Path):
                self._append(source, ticked=True)
                self.changed.emit()
        for row in range(self.count()):
            item = self.item(row)
            if item.data(SOURCE) in sources and item.flags() & TICKABLE:
                item.setCheckState(Qt.CheckState.Checked)

    def unread(self) -> list[Stack]:
        """Return the ticked files as stacks, without those that cannot be read."""
        files = [s for s in self.sources() if isinstance(s, Path)]
        return [stack for file in files if (stack := self._readable(file)) is not None]

    def give_size(self, size: VoxelSize) -> None:
        """Use a voxel size, (z, y, x) in µm, for the ticked files without one."""
        for stack in self.unread():
            if not is_measured(stack):
                self._sizes[Path(stack.metadata["source"])] = size
        self.reset_choices()

    def names(self) -> list[str]:
        """Return the ticked entries as text that outlives the viewer."""
        return [str(s) if isinstance(s, Path) else s.name for s in self.sources()]

    def tick_names(self, names: list[str]) -> bool:
        """Tick only what `names` returned; return whether any of it still exists."""
        layers = [s for s in self._all() if getattr(s, "name", None) in names]
        files = [Path(n) for n in names if Path(n).is_absolute() and Path(n).is_file()]
        if layers or files:
            self.untick()
            self.tick(*layers, *files)
        return bool(layers or files)

    def untick(self) -> None:
        """Untick everything."""
        for row in range(self.count()):
            self.item(row).setCheckState(Qt.CheckState.Unchecked)

    def _stack(self, source: Any, axes: str | None = None) -> Stack:
        if not isinstance(source, Path):
            return to_stack(source, axes)
        stack = read_stack(source, axes=axes)
        given = self._sizes.get(source)
        return stack if given is None else replace(stack, voxel_size=given)

    def _readable(self, source: Any) -> Stack | None:
        try:
            return self._stack(source)
        except BlurGANError:  # shown in the tooltip, and at the start
            return None

    def _tooltip(self, source: Any) -> str:
        try:
            words = summary(self._stack(source))
        except BlurGANError as error:
            words = str(error)
        return f"<p>{escaped(words)}</p>"

    def _all(self) -> list[Any]:
        return [self.item(row).data(SOURCE) for row in range(self.count())]

    def _append(self, source: Any, *, ticked: bool) -> None:
        item = QListWidgetItem(source.name)
        item.setData(SOURCE, source)
        item.setToolTip(self._tooltip(source))
        if self._is_damaged(source):
            item.setText(f"⚠ {source.name}: cannot be read")
            item.setFlags(Qt.ItemFlag.ItemIsEnabled)
        else:
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | TICKABLE)
            state = Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked
            item.setCheckState(state)
        self.addItem(item)

    def _is_damaged(self, source: Any) -> bool:
        """Return whether a file is not an image; unusual axes can still be entered."""
        if not isinstance(source, Path):
            return False
        try:
            read_stack(source)
        except AxesError:
            return False
        except BlurGANError:
            return True
        return False

    # Qt's names
    def dragEnterEvent(self, event: Any) -> None:
        """Take files and napari's layers."""
        event.acceptProposedAction()

    dragMoveEvent = dragEnterEvent

    def dropEvent(self, event: Any) -> None:
        """Tick what was dropped."""
        mime = event.mimeData()
        files = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
        self.tick(*files, *getattr(mime, "items", ()))
        event.acceptProposedAction()
