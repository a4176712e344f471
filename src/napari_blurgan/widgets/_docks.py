"""Docks: open a widget from another, or bring it to the front; all are tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

if TYPE_CHECKING:
    import napari

__all__ = ["Tabbed", "ancestor", "show_widget"]


def show_widget(viewer: napari.Viewer, name: str, kind: type[QWidget]) -> Any:
    """Return the widget of that name, docked and in front.

    Parameters
    ----------
    viewer : napari.Viewer
        In whose window it is.
    name : str
        As in the manifest. The menus find it again under the same title.
    kind : type
        Makes it of a viewer where there is none yet.
    """
    widget = _docked(viewer, kind)
    if widget is None:
        widget = kind(viewer)
        title = f"{name} (BlurGAN)"
        viewer.window.add_dock_widget(widget, name=title, tabify=True)
    dock = ancestor(widget, QDockWidget)
    dock.show()
    dock.raise_()
    return widget


def _docked(viewer: napari.Viewer, kind: type[QWidget]) -> Any:
    """Return the docked widget of a kind, whoever docked it and under any title."""
    docked = viewer.window.dock_widgets.values()
    return next((widget for widget in docked if isinstance(widget, kind)), None)


def ancestor(widget: QWidget | None, kind: type[QWidget]) -> Any:
    """Return the nearest ancestor of a kind, or None."""
    while widget is not None and not isinstance(widget, kind):
        widget = widget.parentWidget()
    return widget


class Tabbed(QObject):
    """Docks a widget as a tab over existing ones of plugins, the first time.

    napari stacks docks vertically, until none is high enough to be readable. Later the
    user decides where it goes.

    Parameters
    ----------
    widget : QWidget
        Owns this.
    viewer : napari.Viewer
        In whose window it will be docked.
    """

    def __init__(self, widget: QWidget, viewer: napari.Viewer) -> None:
        super().__init__(widget)
        self._widget = widget
        self._viewer = viewer
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Watch for the widget getting a dock; its position is known a moment later."""
        if event.type() == QEvent.Type.ParentChange and watched is self._widget:
            self._widget.removeEventFilter(self)
            QTimer.singleShot(0, self._join)
        return False

    def _join(self) -> None:
        dock = ancestor(self._widget, QDockWidget)
        window = ancestor(dock, QMainWindow)
        if window is None or dock.isFloating():
            return
        area = window.dockWidgetArea(dock)
        for other in reversed(self._others(dock)):
            if window.dockWidgetArea(other) == area and other.isVisible():
                window.tabifyDockWidget(other, dock)
                dock.show()
                dock.raise_()
                return

    def _others(self, dock: QDockWidget) -> list[QDockWidget]:
        """Return the docks of plugins; napari's own are not among them."""
        docked = self._viewer.window.dock_widgets.values()
        found = (ancestor(getattr(w, "native", w), QDockWidget) for w in docked)
        return [other for other in found if other is not None and other is not dock]
