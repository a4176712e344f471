"""State that outlives a widget: preferences, last values, recent models."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent, QObject, QSettings, Signal
from qtpy.QtWidgets import QWidget

__all__ = [
    "Kept",
    "memory_limit",
    "models",
    "new_model_path",
    "preference",
    "recall",
    "remember",
]

PLUGIN = "napari-blurgan"
DEFAULTS = {"device": "auto", "memory": 0.0, "models": ""}
RECENT = 10


def preference(name: str) -> Any:
    """Return a value of *File → Preferences → BlurGAN*; its default in older napari."""
    try:
        from napari.settings import get_plugin_settings

        return getattr(get_plugin_settings(PLUGIN).compute, name)
    except (ImportError, AttributeError, KeyError):
        return DEFAULTS[name]


def memory_limit() -> int | None:
    """Return the bytes that a job may use on its device; None for the free memory."""
    gigabytes = float(preference("memory"))
    return int(1e9 * gigabytes) if gigabytes > 0 else None


def new_model_path(name: str, folder: Path | None = None) -> Path:
    """Return a folder for a new model that does not exist yet.

    Parameters
    ----------
    name : str
        What to call it; other letters than those of words become hyphens.
    folder : Path, optional
        Where; by default as the preferences say.
    """
    usual = preference("models") or Path.home() / "blurgan-models"
    folder = Path(folder or usual).expanduser()
    stem = re.sub(r"[^\w-]+", "-", name).strip("-") or "model"
    path = folder / f"{stem}.blurgan"
    number = 2
    while path.exists():
        path = folder / f"{stem}-{number}.blurgan"
        number += 1
    return path


def remember(key: str, value: Any) -> None:
    """Store a value that JSON can hold."""
    _settings().setValue(key, json.dumps(value))


def recall(key: str, default: Any = None) -> Any:
    """Return the stored value, or `default`."""
    text = _settings().value(key)
    try:
        return default if text is None else json.loads(text)
    except (TypeError, json.JSONDecodeError):  # written by another version
        return default


class Kept(QObject):
    """What the fields of a widget say, kept from when it is hidden to the next one.

    Parameters
    ----------
    widget : QWidget
        Whose fields they are; owns this.
    key : str
        The name to keep them under.
    read : callable
        Returns what to keep, as JSON can hold it.
    write : callable
        Called at once with what was kept, if there is anything.
    """

    def __init__(
        self,
        widget: QWidget,
        key: str,
        read: Callable[[], dict[str, Any]],
        write: Callable[[dict[str, Any]], object],
    ) -> None:
        super().__init__(widget)
        self._widget = widget
        self._key = key
        self._read = read
        known = recall(key)
        if known:
            write(known)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Save when the widget is hidden, or taken out of its dock."""
        kinds = (QEvent.Type.Hide, QEvent.Type.ParentChange)
        if watched is self._widget and event.type() in kinds:
            self.save()
        return False

    def save(self) -> None:
        """Store the current values of the fields."""
        remember(self._key, self._read())


class RecentModels(QObject):
    """The most recently used model folders, newest first."""

    added = Signal(object)
    """Emitted when a model has been made or chosen; lists of models listen."""

    def add(self, path: Path) -> None:
        """Put a model first, and report it."""
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
