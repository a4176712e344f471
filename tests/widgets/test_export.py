"""A model is written for other programs, from the window."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialogButtonBox, QFileDialog

from napari_blurgan import restore
from napari_blurgan.widgets import _state
from napari_blurgan.widgets._controls import Phase
from napari_blurgan.widgets._export import ExportDialog
from napari_blurgan.widgets._layers import to_stack
from tests.support.docks import finish, opened


@pytest.fixture
def widget(viewer: Viewer, model_folder: Path) -> Iterator[Any]:
    _state.models.add(model_folder)
    widget = opened(viewer, "Restore")
    yield widget
    finish(widget)


@pytest.fixture
def asked(widget: Any, qtbot: QtBot) -> ExportDialog:
    """Press the button and return the dialog."""
    qtbot.mouseClick(widget.export_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(widget.findChildren(ExportDialog)))
    (dialog,) = widget.findChildren(ExportDialog)
    return dialog


def save(
    dialog: ExportDialog, path: Path, qtbot: QtBot, patch: pytest.MonkeyPatch
) -> None:
    """Press Save, and choose a file as the system's dialog would return it."""
    patch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(path), ""))
    (box,) = dialog.findChildren(QDialogButtonBox)
    pressed = box.button(QDialogButtonBox.StandardButton.Save)
    qtbot.mouseClick(pressed, Qt.MouseButton.LeftButton)


def test_a_package_says_what_was_typed_and_restores_as_here(
    viewer: Viewer,
    widget: Any,
    asked: ExportDialog,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked.form.update_values(
        {"name": "Cells at 525 nm", "author": "A. Person", "licence": "CC-BY-4.0"}
    )
    save(asked, tmp_path / "cells", qtbot, monkeypatch)
    qtbot.waitUntil(lambda: widget.run.phase is Phase.IDLE, timeout=120_000)
    path = tmp_path / "cells.zip"
    assert str(path) in widget.run.words.text()
    rdf = yaml.safe_load(zipfile.ZipFile(path).read("rdf.yaml"))
    assert rdf["name"] == "Cells at 525 nm"
    assert rdf["authors"] == [{"name": "A. Person"}]
    assert rdf["license"] == "CC-BY-4.0"
    image = to_stack(viewer.layers["blurred"])
    here = restore(widget.form["model"].value, image, precision="float32")
    there = restore(path, image)
    assert np.abs(np.asarray(there) - np.asarray(here)).max() < 1e-3 * np.ptp(here)


def test_what_cannot_be_exported_is_said(
    widget: Any,
    asked: ExportDialog,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save(asked, tmp_path / "cells.onnx", qtbot, monkeypatch)
    qtbot.waitUntil(lambda: bool(widget.messages.text()), timeout=120_000)
    assert "bioimageio" in widget.messages.text()
    assert not list(tmp_path.glob("*.onnx"))


def test_without_a_model_nothing_is_asked(viewer: Viewer, qtbot: QtBot) -> None:
    widget = opened(viewer, "Restore")
    qtbot.mouseClick(widget.export_button, Qt.MouseButton.LeftButton)
    assert "Choose the model" in widget.messages.text()
    assert not widget.findChildren(ExportDialog)
