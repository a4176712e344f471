"""Images in numpy's own files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_blurgan.data.complex_numbers import as_complex
from napari_blurgan.errors import AxesError, DataError
from napari_blurgan.reading.images import read_stack


def saved(folder: Path, array: np.ndarray) -> Path:
    np.save(folder / "a.npy", array)
    return folder / "a.npy"


def test_real_images_are_mapped(tmp_path: Path) -> None:
    image = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
    stack = read_stack(saved(tmp_path, image))
    assert (stack.axes, stack.name) == ("ZYX", "a.npy")
    assert isinstance(stack.data, np.memmap)
    np.testing.assert_array_equal(stack.data, image)
    assert read_stack(tmp_path / "a.npy", axes="tyx").axes == "TYX"


def test_complex_images_are_two_channels_and_still_mapped(tmp_path: Path) -> None:
    image = (np.arange(60) * (1 - 2j)).astype(np.complex64).reshape(3, 4, 5)
    stack = read_stack(saved(tmp_path, image))
    assert stack.axes == "CZYX"
    assert np.shares_memory(stack.data, stack.data.base)
    np.testing.assert_array_equal(as_complex(np.asarray(stack.data)), image)


def test_the_other_byte_order_is_turned(tmp_path: Path) -> None:
    image = np.arange(20.0).astype(">f4").reshape(4, 5)
    stack = read_stack(saved(tmp_path, image))
    assert stack.data.dtype.isnative
    np.testing.assert_array_equal(stack.data, image)


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected numbers"):
        read_stack(saved(tmp_path, np.array(["a", "b"])))
    with pytest.raises(DataError, match="no array of numbers"):
        read_stack(saved(tmp_path, np.array([{}], object)))
    with pytest.raises(AxesError, match="4 axes without names"):
        read_stack(saved(tmp_path, np.zeros((2, 2, 4, 5))))
    path = saved(tmp_path, np.zeros((40, 50)))
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(DataError, match="no array of numbers"):
        read_stack(path)


def test_several_arrays_in_one_file_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "b.npz", a=np.zeros((4, 5)))
    (tmp_path / "b.npz").rename(tmp_path / "b.npy")
    with pytest.raises(DataError, match="several arrays"):
        read_stack(tmp_path / "b.npy")
