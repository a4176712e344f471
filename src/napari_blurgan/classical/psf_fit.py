"""The module from which `psf_shape_for` was imported before version 0.2."""

from __future__ import annotations

from napari_blurgan.inverse.psf_fit import psf_shape_for

__all__ = ["psf_shape_for"]
