"""Context menu of an image layer: restore it, deconvolve it.

napari lets manifests add entries to its *Layers* menu, but not to the context menu; the
entries are added with the first widget, sample or file of the plugin.
"""

from __future__ import annotations

from typing import Any

import napari
from app_model.types import Action, MenuRule
from napari._app_model import get_app_model
from napari._app_model.constants import MenuId
from napari._app_model.context import LayerListSelectionContextKeys
from npe2 import PluginManager

from napari_blurgan.widgets._docks import show_widget

__all__ = ["offer_on_layers"]

GROUP = "9_blurgan"
"""Below napari's own entries."""


def offer_on_layers() -> None:
    """Add the entries once; they are shown for image layers."""
    app = get_app_model()
    for name, show in (("restore", _restore), ("deconvolve", _deconvolve)):
        key = f"napari-blurgan.{name}_layer"
        if key in app.commands:
            continue
        rule = MenuRule(
            id=MenuId.LAYERLIST_CONTEXT,
            group=GROUP,
            when=LayerListSelectionContextKeys.active_layer_type == "image",
        )
        title = f"{name.capitalize()} with… (BlurGAN)"
        app.register_action(Action(id=key, title=title, callback=show, menus=[rule]))


def _restore() -> None:
    _open("Restore", "napari-blurgan.restore")


def _deconvolve() -> None:
    _open("Deconvolve", "napari-blurgan.deconvolve")


def _open(name: str, command: str) -> None:
    """Open a widget with the clicked layer."""
    viewer = napari.current_viewer()
    layer = viewer.layers.selection.active
    kind: Any = PluginManager.instance().commands.get(command)
    widget = show_widget(viewer, name, kind)
    widget.take_layer(layer)
