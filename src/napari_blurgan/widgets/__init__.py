"""The napari widgets: the only package that may import napari, qtpy, magicgui."""
