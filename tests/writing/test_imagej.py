"""Which files are written for ImageJ."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan.writing.imagej import suits_imagej


@pytest.mark.parametrize(
    ("path", "axes", "dtype", "suits"),
    [
        ("a.tif", "ZYX", "uint16", True),
        ("a.tif", "TCZYX", "float32", True),
        ("a.ome.tif", "ZYX", "uint16", False),
        ("a.tif", "ZYX", "float64", False),
        ("a.tif", "ZYX", "int32", False),
        ("a.tif", "YXS", "uint8", True),
        ("a.tif", "YXS", "float32", False),
    ],
)
def test_names_and_pixel_types(path: str, axes: str, dtype: str, suits: bool) -> None:
    shape = (3,) * len(axes)
    assert suits_imagej(path, axes, shape, np.dtype(dtype)) is suits
