"""`ModelPlace`: the name of a new model, its folder, and its device."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QLabel, QLineEdit, QVBoxLayout, QWidget

from napari_blurgan.widgets import _state
from napari_blurgan.widgets._controls import button, row
from napari_blurgan.widgets._hardware import hardware
from napari_blurgan.widgets._words import breakable, plain

__all__ = ["ModelPlace"]


class ModelPlace(QWidget):
    """A name, a folder, and a line that shows both with the device.

    Without a name the model is named after the first image. An existing model is never
    overwritten: a number is added.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder: Path | None = None
        self.name = QLineEdit()
        self.name.setAccessibleName("Name of the model")
        self.name.setToolTip("Name of the model; if empty, that of the first image")
        self.words = plain()
        self.words.setWordWrap(True)
        self._image, self._device = "model", "auto"
        choose = button("Folder…", "Folder for the model", self._ask)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row(QLabel("Model"), self.name, choose))
        layout.addWidget(self.words)
        self.name.textChanged.connect(lambda text: self._say())

    def look_at(self, image: str, device: str) -> None:
        """Show the future name of a model for this image, and its device."""
        self._image, self._device = image, device
        self.name.setPlaceholderText(image)
        self._say()

    def taken(self) -> Callable[[str], Path]:
        """Return a function from the name of an image to a new folder."""
        name, folder = self.name.text().strip(), self.folder
        return lambda image: _state.new_model_path(name or image, folder)

    def _say(self) -> None:
        path = self.taken()(self._image)
        where = hardware(self._device)
        self.words.setText(f"To be saved as {breakable(path)}. Trains on: {where}.")

    def _ask(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder for the model")
        if chosen:
            self.folder = Path(chosen)
            self._say()
