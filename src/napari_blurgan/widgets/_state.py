"""What outlives a widget: preferences, the values last used, the models made."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, QSettings, Signal

__all__ = ["models", "new_model_path", "preference", "recall", "remember"]

PLUGIN = "napari-blurgan"
DEFAULTS = {"device": "auto", "models": ""}
RECENT = 10


def preference(name: str) -> Any:
    """Return what *File → Preferences → BlurGAN* says; its default in older napari."""
    try:
        from napari.settings import get_plugin_settings

        return getattr(get_plugin_settings(PLUGIN).compute, name)
    except (ImportError, AttributeError, KeyError):
        return DEFAULTS[name]


def new_model_path(name: str) -> Path:
    """Return a folder for a new model that does not exist yet."""
    folder = Path(preference("models") or Path.home() / "blurgan-models").expanduser()
    stem = re.sub(r"[^\w-]+", "-", name).strip("-") or "model"
    path = folder / f"{stem}.blurgan"
    number = 2
    while path.exists():
        path = folder / f"{stem}-{number}.blurgan"
        number += 1
    return path


def remember(key: str, value: Any) -> None:
    """Keep a value that JSON can hold until it is remembered anew."""
    _settings().setValue(key, json.dumps(value))


def recall(key: str, default: Any = None) -> Any:
    """Return what was remembered, or `default`."""
    text = _settings().value(key)
    try:
        return default if text is None else json.loads(text)
    except (TypeError, json.JSONDecodeError):  # another version wrote it
        return default


class RecentModels(QObject):
    """The model folders used last, newest first."""

    added = Signal(object)
    """A model has just been made or chosen; widgets that list models listen."""

    def add(self, path: Path) -> None:
        """Put a model first, and tell."""
        known = [path, *(p for p in self._known() if p != path)]
        remember("models", [str(p) for p in known[:RECENT]])
        self.added.emit(path)

    def list(self) -> list[Path]:
        """Return those that still exist."""
        return [p for p in self._known() if p.is_dir()]

    def _known(self) -> Sequence[Path]:
        return [Path(p) for p in recall("models", [])]


models = RecentModels()


def _settings() -> QSettings:
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, PLUGIN)
