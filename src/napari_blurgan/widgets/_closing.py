"""Closing a widget, or napari, during work: ask, stop, keep the checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QMessageBox, QWidget

from napari_blurgan.widgets._docks import ancestor
from napari_blurgan.widgets._worker import Job

if TYPE_CHECKING:
    import napari

__all__ = ["PATIENCE", "CloseGuard", "Disposal"]

PATIENCE = 2.0
"""Seconds that closing waits for the current step."""
DISPOSAL = 200
"""Milliseconds between two checks whether a widget is still needed."""

_leaving: set[Disposal] = set()
"""Objects whose widget has no dock; otherwise Python may collect them too early."""


class CloseGuard(QObject):
    """Prevents a job from outliving its widget unasked; lives as long as the job.

    Parameters
    ----------
    widget : QWidget
        A widget that napari docks; removing it from its dock is closing it.
    job : Job
        What is running.
    finish : callable
        Ends it, and whatever was to come after it, within seconds.
    viewer : napari.Viewer
        Docks the widget again, for a user who would rather go on.
    question : str
        Names what would be stopped, and says what is kept of it.
    """

    def __init__(
        self,
        widget: QWidget,
        job: Job,
        finish: Callable[[], object],
        viewer: napari.Viewer,
        question: str,
    ) -> None:
        super().__init__(job)
        self._question = question
        self._widget = widget
        self._finish = finish
        self._viewer = viewer
        self._window = ancestor(widget, QMainWindow)
        dock = ancestor(widget, QDockWidget)
        # napari identifies a dock by its title, and its menus look for that.
        self._title = dock.windowTitle() if dock is not None else ""
        for watched in filter(None, (widget, self._window)):
            watched.installEventFilter(self)
        job.ended.connect(self._release)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Watch for the widget losing its dock, and for the window closing."""
        kind = event.type()
        if kind == QEvent.Type.ParentChange and watched is self._widget:
            if self._widget.parent() is None:
                self._closed()
        elif kind == QEvent.Type.Close and watched is self._window:
            return self._window_closing(event)
        return False

    def _window_closing(self, event: Any) -> bool:
        if _by_a_person(self._window) and not confirm(self._window, self._question):
            event.ignore()
            return True
        self._finish()
        return False

    def _closed(self) -> None:
        places = None if self._window is None else self._window.saveState()
        if confirm(self._window, self._question):
            self._finish()
        else:  # not at once: napari is still removing the dock
            QTimer.singleShot(0, lambda: self._dock_again(places))

    def _dock_again(self, places: Any) -> None:
        """Dock the widget where it was: Qt finds docks by their names."""
        window = self._window
        if window is not None:
            for gone in window.findChildren(QDockWidget, self._title):
                gone.setObjectName("")  # it is deleted soon, and must not be found
        self._viewer.window.add_dock_widget(self._widget, name=self._title)
        if window is not None:
            window.restoreState(places)
        ancestor(self._widget, QDockWidget).raise_()

    def _release(self) -> None:
        for watched in filter(None, (self._widget, self._window)):
            watched.removeEventFilter(self)
        self._window = None  # napari would call a window that is held on to a leak


class Disposal(QObject):
    """Deletes a widget that has left its dock, once nothing runs in it any more.

    napari only releases it. With PySide6 it would live on, because the garbage
    collector cannot see what Qt's connections reference.

    Parameters
    ----------
    widget : QWidget
        What to delete; has `reset_choices`, which napari calls.
    viewer : napari.Viewer
        Whose layers it follows.
    let_go : callable, optional
        Called before: takes back what the widget has put into the viewer.
    """

    def __init__(
        self,
        widget: Any,
        viewer: napari.Viewer,
        let_go: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(widget)
        self._widget = widget
        self._viewer = viewer
        self._let_go = let_go
        self._timer = QTimer(self)
        self._timer.setInterval(DISPOSAL)
        self._timer.timeout.connect(self._look)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Watch for the widget losing its dock; it may get it back."""
        if event.type() == QEvent.Type.ParentChange and watched is self._widget:
            self._timer.start()
            if self._widget.parent() is None:
                _leaving.add(self)
        return False

    def _look(self) -> None:
        docked = self._widget.parent() is not None
        if not docked and any(j.running for j in self._widget.findChildren(Job)):
            return
        self._timer.stop()
        _leaving.discard(self)
        if not docked:
            self._delete()

    def _delete(self) -> None:
        events = self._viewer.layers.events
        for name in ("inserted", "removed", "reordered", "renamed"):
            getattr(events, name).disconnect(self._widget.reset_choices)
        if self._let_go is not None:
            self._let_go()
        self._widget.deleteLater()


def _by_a_person(window: QMainWindow) -> bool:
    """Return whether the canvas still exists: `Viewer.close` hides it first."""
    canvas = window.centralWidget().findChildren(
        QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly
    )
    return any(widget.isVisible() for widget in canvas)


def confirm(parent: QWidget | None, question: str) -> bool:
    """Ask whether to stop the running job; True if so, or if nobody can be asked."""
    if parent is None or not parent.isVisible():
        return True
    answer = QMessageBox.question(
        parent,
        "BlurGAN is still working",
        question,
        QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No,
        QMessageBox.StandardButton.No,
    )
    return bool(answer == QMessageBox.StandardButton.Yes)
