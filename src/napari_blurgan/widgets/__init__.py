"""The napari widgets: the only room that may import napari, qtpy, magicgui."""
