"""Any volume through any operator: tiles, plans and sinks."""

from napari_blurgan.restoration.restorer import restore

__all__ = ["restore"]
