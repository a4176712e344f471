"""The plugin's widgets, opened in napari as a person opens them."""

from __future__ import annotations

from typing import Any

from napari import Viewer
from pytestqt.qtbot import QtBot

from napari_blurgan.widgets._controls import Phase
from napari_blurgan.widgets.restore_folder import RestoreFolderWidget

__all__ = ["NAMES", "finish", "idle", "missing", "opened"]

FOLDER = "Restore a folder"
NAMES = (
    *("Train", "Restore", "Deconvolve", "PSF", "Compare", "Threshold", "Transform"),
    FOLDER,
)


def opened(viewer: Viewer, name: str) -> Any:
    """Open a widget, and return it."""
    if name == FOLDER:  # a button of Restore opens it, not the menu
        widget = RestoreFolderWidget(viewer)
        viewer.window.add_dock_widget(widget, name=name)
        return widget
    return viewer.window.add_plugin_dock_widget("napari-blurgan", name)[1]


def finish(widget: Any) -> None:
    """Stop what a widget still does, and wait until it has."""
    planner = vars(widget).get("planner")  # the widget of Qt may be gone
    for job in (widget._job, getattr(planner, "job", None)):
        if job is not None:
            job.finish(20)


def idle(widget: Any) -> bool:
    """Return whether neither a training nor anything before it is at work."""
    return bool(widget.run.phase is Phase.IDLE)


def missing(widget: Any, qtbot: QtBot) -> str:
    """Return what the form says of itself, once it has been checked."""
    qtbot.waitUntil(lambda: not widget.missing.pending, timeout=5000)
    return str(widget.missing.text())
