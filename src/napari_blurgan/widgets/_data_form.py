"""`DataForm`: the blurred and the sharp images, and the optics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_blurgan.tasks.sharp_set import SHARP_SETS
from napari_blurgan.widgets._fields import OpticsForm
from napari_blurgan.widgets._forms import Form
from napari_blurgan.widgets._layers import METADATA_KEY
from napari_blurgan.widgets._sources import SourceList
from napari_blurgan.widgets._voxel_size import VoxelSizeForm

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_blurgan.axes import VoxelSize
from napari_blurgan.data.stack import Stack

__all__ = ["DataForm"]


class DataForm(QWidget):
    """Blurred images, sharp images or how to make them, and the optics.

    Parameters
    ----------
    viewer : napari viewer
        Whose layers are offered.
    """

    changed = Signal()
    """Emitted when a value has changed, or has become known."""

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._known: set[Any] = set()
        self.blurred = SourceList(viewer, "Blurred images to learn from")
        self.sharp = SourceList(viewer, "Sharp images of the same kind of structure")
        self.optics = OpticsForm()
        self._make = ComboBox(
            name="make", label="Sharp images", value="richardson-lucy",
            choices=[(words, key) for key, words in SHARP_SETS.items()],
            tooltip=(
                "What restored images should look like. They need not show the same "
                "field; if you have none, let a set be made: of deconvolved parts of "
                "the blurred images, or of synthetic structures"
            ),
        )  # fmt: skip
        self._make.changed.connect(self._show_what_is_needed)
        self._make.native.activated.connect(self._on_chosen)
        self._chosen = False
        self.optics.toggled.connect(self._suggest)
        self.voxels = VoxelSizeForm(
            viewer, "train without it: the PSF is then in voxels"
        )
        self.voxels.given.connect(self._on_size)
        self.blurred.changed.connect(self._on_ticked)
        self.sharp.changed.connect(self._show_what_is_needed)
        self._arrange()
        self._show_what_is_needed()

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(_heading("Blurred images", self.blurred))
        layout.addWidget(self.blurred)
        layout.addWidget(self.voxels)
        layout.addWidget(Form(self._make))
        layout.addWidget(self.sharp)
        layout.addWidget(self.optics)

    @property
    def make_sharp(self) -> str:
        """A key of `SHARP_SETS`."""
        return str(self._make.value)

    @property
    def recipe(self) -> str | None:
        """The recipe requested by a ticked layer, if any."""
        layers = self.blurred.layers()
        asked = (la.metadata.get(METADATA_KEY, {}).get("recipe") for la in layers)
        return next(filter(None, asked), None)

    def reset_choices(self) -> None:
        """Follow the layers; tick new ones that declare their role."""
        self.blurred.reset_choices()
        self.sharp.reset_choices()
        new = [layer for layer in self._viewer.layers if layer not in self._known]
        self._known = set(self._viewer.layers)
        self._tick_by_role(new)

    def _roles(self) -> set[str | None]:
        """Return the roles that the layers of the viewer declare."""
        return {_role(layer) for layer in self._viewer.layers} - {None}

    def _tick_by_role(self, layers: list[Image]) -> None:
        for layer in layers:
            role = _role(layer)
            if role == "blurred" and not self.blurred.sources():
                self.blurred.tick(layer)
            elif role == "sharp":
                self.sharp.tick(layer)
                self._make.value = "layers"

    def values(self) -> dict[str, Any]:
        """Return the values as JSON can hold them; layers by their names."""
        return {
            "make": self.make_sharp,
            "optics": self.optics.plain_values(),
            "blurred": self.blurred.names(),
            "sharp": self.sharp.names(),
        }

    def update_values(self, values: dict[str, Any]) -> None:
        """Set the values from `values`; other images may have their own optics."""
        there = "blurred" not in values or self.blurred.tick_names(values["blurred"])
        if there or not self._roles():
            self.sharp.tick_names(values.get("sharp", []))
            # Optics of other images are only suggested: the microscope may differ.
            known = {} if there else {"known": False}
            self.optics.update_values(values.get("optics", {}) | known)
            self._make.value = values.get("make", self.make_sharp)
            self._chosen = "make" in values

    def _on_chosen(self) -> None:
        self._chosen = True

    def _suggest(self) -> None:
        """Suggest a sharp set: of the images themselves, if their optics are known."""
        if not self._chosen and self.make_sharp != "layers":
            known = self.optics.isChecked()
            self._make.value = "richardson-lucy" if known else "microtubules"
        self.changed.emit()

    def _show_what_is_needed(self, value: object = None) -> None:
        self.sharp.setVisible(self.make_sharp == "layers")
        self.look_at_sizes()
        self.changed.emit()

    def _on_ticked(self) -> None:
        self.look_at_sizes()
        self.optics.take_from(self.blurred.layers())
        self._suggest()

    def look_at_sizes(self, axes: str | None = None) -> None:
        """Ask for the voxel size if an image has none."""
        self.voxels.look_at(self._layers(), self._files(), axes)

    def _layers(self) -> list[Image]:
        sharp = self.sharp.layers() if self.make_sharp == "layers" else []
        return [*self.blurred.layers(), *sharp]

    def _files(self) -> list[Stack]:
        sharp = self.sharp.unread() if self.make_sharp == "layers" else []
        return [*self.blurred.unread(), *sharp]

    def _on_size(self, size: VoxelSize) -> None:
        for sources in (self.blurred, self.sharp):
            sources.give_size(size)
        self.changed.emit()


def _role(layer: Image) -> str | None:
    role: str | None = layer.metadata.get(METADATA_KEY, {}).get("role")
    return role


def _heading(words: str, sources: SourceList) -> QHBoxLayout:
    add = QPushButton()
    add.setText("Add files…")
    add.setToolTip(f"{words} from files, without opening them in the viewer")
    add.clicked.connect(lambda: sources.tick(*_asked_for(sources)))
    row = QHBoxLayout()
    row.addWidget(QLabel(words))
    row.addStretch()
    row.addWidget(add)
    return row


def _asked_for(parent: QWidget) -> list[Any]:
    from pathlib import Path

    names, _ = QFileDialog.getOpenFileNames(
        parent, "Add images", "", "Images (*.tif *.tiff);;All files (*)"
    )
    return [Path(name) for name in names]
