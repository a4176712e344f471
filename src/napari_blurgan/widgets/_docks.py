"""`show_widget`: one widget opens another, or brings it to the front."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QDockWidget, QWidget

if TYPE_CHECKING:
    import napari

__all__ = ["ancestor", "show_widget"]


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
    title = f"{name} (BlurGAN)"
    docked = viewer.window.dock_widgets
    if title not in docked:
        viewer.window.add_dock_widget(kind(viewer), name=title, tabify=True)
    widget = docked[title]
    dock = ancestor(widget, QDockWidget)
    dock.show()
    dock.raise_()
    return widget


def ancestor(widget: QWidget | None, kind: type[QWidget]) -> Any:
    """Return the nearest ancestor of a kind, or None."""
    while widget is not None and not isinstance(widget, kind):
        widget = widget.parentWidget()
    return widget
