"""Preferences, remembered values and recent models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from napari.settings import get_plugin_settings
from npe2 import PluginManifest
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QWidget

from napari_blurgan.widgets import _state


def test_what_was_remembered_is_recalled() -> None:
    _state.remember("train", {"minutes": 7.5, "preset": "blind"})
    assert _state.recall("train") == {"minutes": 7.5, "preset": "blind"}
    assert _state.recall("nothing", "default") == "default"


def test_a_damaged_note_is_forgotten() -> None:
    _state._settings().setValue("train", "{not json")
    assert _state.recall("train", {}) == {}


def test_recent_models_newest_first_and_only_those_there_are(tmp_path: Path) -> None:
    first, second, gone = (tmp_path / f"{name}.blurgan" for name in "abc")
    first.mkdir()
    second.mkdir()
    for path in (first, gone, second, first):
        _state.models.add(path)
    assert _state.models.list() == [first, second]


def test_who_lists_models_is_reported(tmp_path: Path) -> None:
    heard = []
    _state.models.added.connect(heard.append)
    try:
        _state.models.add(tmp_path)
    finally:
        _state.models.added.disconnect(heard.append)
    assert heard == [tmp_path]


def test_a_new_model_never_takes_the_place_of_another(private_settings: Path) -> None:
    path = _state.new_model_path("cell: 3/4")
    assert path.parent == private_settings / "blurgan-models"
    path.mkdir(parents=True)
    assert _state.new_model_path("cell: 3/4") != path


def test_fields_are_kept_when_their_widget_is_hidden(qtbot: QtBot) -> None:
    values, written = {"minutes": 7}, []
    for _ in range(2):
        widget = QWidget()
        _state.Kept(widget, "fields", lambda: values, written.append)
        qtbot.addWidget(widget)
        widget.show()
        widget.hide()
    assert written == [{"minutes": 7}]


@pytest.mark.usefixtures("plugin_settings")
def test_preferences_are_those_of_the_manifest(npe2pm: Any, tmp_path: Path) -> None:
    npe2pm.register(PluginManifest.from_distribution("napari-blurgan"))
    assert _state.preference("device") == "auto"
    get_plugin_settings("napari-blurgan").compute.device = "cpu"
    assert _state.memory_limit() is None
    get_plugin_settings("napari-blurgan").compute.memory = 1.5
    assert _state.memory_limit() == 1_500_000_000
    get_plugin_settings("napari-blurgan").compute.models = str(tmp_path / "here")
    assert _state.preference("device") == "cpu"
    assert _state.new_model_path("m").parent == tmp_path / "here"


def test_without_the_settings_page_the_defaults_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr("napari.settings.get_plugin_settings")
    assert _state.preference("device") == "auto"
