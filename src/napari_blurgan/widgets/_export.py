"""A model for other programs: what is said of it, and where it goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from magicgui.widgets import ComboBox, LineEdit
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QVBoxLayout,
    QWidget,
)

from napari_blurgan.checks import check_parent
from napari_blurgan.errors import DataError
from napari_blurgan.widgets._forms import Form

__all__ = ["ExportDialog", "export"]

FORMATS = {
    "bioimage.io package, for many programs": ".zip",
    "ONNX file, for networks that refine no estimate": ".onnx",
}


def export(model: Path, path: Path, said: dict[str, str]) -> Callable[[Any], str]:
    """Return the work of writing a model for other programs, and a line about it.

    Parameters
    ----------
    model : Path
        Its folder.
    path : Path
        Ends in ``.zip`` (a package of bioimage.io) or ``.onnx``.
    said : dict
        ``name``, ``author``, ``text`` and ``licence``, each may be empty.

    Raises
    ------
    DataError
        If the path ends otherwise, or nothing can be written there.
    """
    if path.suffix.lower() not in FORMATS.values():
        raise DataError(f"{path}: a model is exported as .zip or .onnx")
    check_parent(path)

    def work(report: Any) -> str:
        from napari_blurgan.export.bioimageio import Description, write_package
        from napari_blurgan.export.onnx import write_onnx
        from napari_blurgan.models.model import load_model

        loaded = load_model(model)
        if path.suffix.lower() == ".onnx":
            write_onnx(loaded, path)
        else:
            authors = (said["author"] or "not named",)
            name, licence = said["name"] or model.stem, said["licence"] or None
            about = Description(name, authors, said["text"], licence)
            write_package(loaded, path, about)
        return f"Exported to {path}, {path.stat().st_size / 1e6:.1f} MB."

    return work


class ExportDialog(QDialog):
    """Asks for the format, and for what only a person can say of a model.

    Parameters
    ----------
    model : Path
        Its folder.
    parent : QWidget
        In front of which it is shown.
    chosen : callable
        Called with the path and with what is said, once a file has been chosen.
    """

    def __init__(
        self,
        model: Path,
        parent: QWidget,
        chosen: Callable[[Path, dict[str, str]], object],
    ) -> None:
        super().__init__(parent)
        self._model, self._chosen = model, chosen
        self.setWindowTitle(f"Export {model.stem}")
        self.form = Form(
            ComboBox(
                name="ending", label="Format", choices=list(FORMATS.items()),
                tooltip="What the other program reads",
            ),
            LineEdit(name="name", label="Name", value=model.stem,
                     tooltip="Of the model, for people"),
            LineEdit(name="author", label="Author", value="",
                     tooltip="Who trained it"),
            LineEdit(name="text", label="What it is for", value="",
                     tooltip="A sentence: specimen, microscope, what it restores"),
            LineEdit(name="licence", label="Licence", value="",
                     tooltip="Its SPDX identifier, such as CC-BY-4.0; empty for none"),
        )  # fmt: skip
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save
            | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self._ask)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.form)
        layout.addWidget(buttons)

    def _ask(self) -> None:
        """Ask where it goes; the system asks before a file is replaced."""
        values = self.form.values()
        ending = values.pop("ending")
        usual = str(self._model.with_suffix(ending))
        name, _ = QFileDialog.getSaveFileName(self, "Export", usual, f"*{ending}")
        if name:
            path = Path(name)
            self.accept()
            self._chosen(path if path.suffix else path.with_suffix(ending), values)
