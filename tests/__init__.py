"""Tests of napari-blurgan."""
