"""Leica LIF: pixels, geometry and optics of the first image that has planes."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from napari_blurgan import read_stack
from napari_blurgan.errors import DataError
from napari_blurgan.reading.vendors.lif import LifArray
from tests.support.vendor_files import LENS, VOXEL, image, write_lif


def test_a_file_is_read_with_its_metadata(tmp_path: Path) -> None:
    pixels = image((3, 2, 4, 10, 12), "uint8")
    write_lif(tmp_path / "cell.lif", {"Series 1": ("TCZYX", pixels)})
    stack = read_stack(tmp_path / "cell.lif")
    assert (stack.axes, stack.name) == ("TCZYX", "cell")
    np.testing.assert_array_equal(np.asarray(stack), pixels)
    assert stack.voxel_size == pytest.approx(VOXEL)
    found = stack.metadata["acquisition"]
    assert {name: found.lens[name] for name in LENS} == LENS
    assert found.lens["Immersion"] == "Water"
    assert found.interval == pytest.approx(2.5)
    assert stack.metadata["notes"] == []
    assert stack.metadata["description"] == "Series 1"


def test_the_first_image_with_planes_is_read_and_the_others_are_said(
    tmp_path: Path,
) -> None:
    spectrum, section = image((5, 8, 9), "uint8"), image((6, 9), "uint8")
    stack = image((4, 8, 9), "uint8")
    images = {"l": ("λYX", spectrum), "xz": ("ZX", section), "s": ("ZYX", stack)}
    write_lif(tmp_path / "a.lif", images)
    found = read_stack(tmp_path / "a.lif")
    np.testing.assert_array_equal(np.asarray(found), stack)
    note = "the file holds 3 images (l, xz, s); s was read"
    assert found.metadata["notes"] == [note]
    assert isinstance(found.data, LifArray)
    again = pickle.loads(pickle.dumps(found.data))
    np.testing.assert_array_equal(again[2:], stack[2:])


def test_a_file_without_planes_is_refused(tmp_path: Path) -> None:
    write_lif(tmp_path / "a.lif", {"xz": ("ZX", image((6, 9), "uint8"))})
    with pytest.raises(DataError, match=r"none of its images \(xz\)"):
        read_stack(tmp_path / "a.lif")
