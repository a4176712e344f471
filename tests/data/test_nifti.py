"""NIfTI-1 files."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from napari_blurgan.errors import DataError
from napari_blurgan.reading.images import read_stack
from napari_blurgan.reading.nifti import TYPES


def written(
    path: Path,
    values: np.ndarray,
    order: str = "<",
    unit: int = 2,
    scaling: tuple[float, float] = (0.0, 0.0),
) -> Path:
    """Write (t, z, y, x) or fewer axes as the standard says."""
    shape = values.shape[::-1]
    raw = bytearray(352)
    struct.pack_into(f"{order}i", raw, 0, 348)
    sizes = [len(shape), *shape] + [1] * (7 - len(shape))
    struct.pack_into(f"{order}8h", raw, 40, *sizes)
    kind = next(k for k, v in TYPES.items() if v == values.dtype.str[1:])
    struct.pack_into(f"{order}2h", raw, 70, kind, 8 * values.dtype.itemsize)
    struct.pack_into(f"{order}8f", raw, 76, 1, 0.5, 0.6, 2, 1, 1, 1, 1)
    struct.pack_into(f"{order}3f", raw, 108, 352, *scaling)
    raw[123] = unit
    raw[344:348] = b"n+1\0"
    data = bytes(raw) + values.astype(values.dtype.newbyteorder(order)).tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_values_axes_and_voxels_come_back(
    tmp_path: Path, name: str, order: str
) -> None:
    values = np.arange(2 * 3 * 4 * 5, dtype=np.uint16).reshape(2, 3, 4, 5)
    stack = read_stack(written(tmp_path / name, values, order))
    assert stack.axes == "TZYX"
    np.testing.assert_array_equal(stack.data, values)
    assert stack.voxel_size == pytest.approx((2000, 600, 500))
    assert np.asarray(stack.data).dtype.isnative


def test_complex_numbers_are_two_channels(tmp_path: Path) -> None:
    values = (np.arange(12) + 1j * np.arange(12)[::-1]).astype(np.complex64)
    stack = read_stack(written(tmp_path / "a.nii", values.reshape(3, 4)))
    assert stack.axes == "CYX"
    np.testing.assert_array_equal(stack.data[1], values.imag.reshape(3, 4))


def test_scaling_is_applied_and_unknown_units_are_no_micrometres(
    tmp_path: Path,
) -> None:
    values = np.arange(12, dtype=np.int16).reshape(3, 4)
    path = written(tmp_path / "a.nii", values, unit=0, scaling=(0.5, 10.0))
    stack = read_stack(path)
    np.testing.assert_allclose(stack.data, values * 0.5 + 10)
    assert stack.voxel_size == (None, None, None)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_truncated_files_are_refused(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, np.zeros((3, 4, 5), np.float32))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] if name.endswith("gz") else data[:-4])
    with pytest.raises(DataError, match=r"a\.nii"):
        read_stack(path)


def test_other_files_and_more_axes_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "b.nii"
    other.write_bytes(b"x" * 400)
    with pytest.raises(DataError, match="no NIfTI-1"):
        read_stack(other)
    with pytest.raises(DataError, match="up to four"):
        read_stack(written(tmp_path / "c.nii", np.zeros((2, 1, 2, 3, 4), np.uint8)))
