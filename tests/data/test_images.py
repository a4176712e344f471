from __future__ import annotations

import pickle
from pathlib import Path
from types import EllipsisType
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_blurgan.errors import AxesError, DataError
from napari_blurgan.reading.images import read_stack
from napari_blurgan.writing.ome_tiff import write_ome_tiff


def ramp(shape: tuple[int, ...] | list[int], dtype: str = "uint16") -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


@pytest.mark.parametrize(
    "axes", ["YX", "ZYX", "TZYX", "ZCYX", "CTZYX", "TCZYX", "YXS", "ZYXS", "SYX"]
)
def test_ome_tiff_gives_everything_back(tmp_path: Path, axes: str) -> None:
    sizes = {"T": 2, "C": 2, "Z": 4, "Y": 6, "X": 5, "S": 3}
    array = ramp([sizes[a] for a in axes])
    names = ("DNA", "µ-tubules") if "C" in axes else ()
    provenance = {"model": "abc", "steps": [1, 2], "text": 'ü<&"'}

    write_ome_tiff(
        tmp_path / "a.ome.tif", array, axes, (0.3, 0.1, 0.11), names, provenance
    )
    stack = read_stack(tmp_path / "a.ome.tif")

    assert stack.axes == axes
    assert stack.voxel_size == pytest.approx((0.3, 0.1, 0.11))
    assert stack.channel_names == names
    assert stack.metadata["provenance"] == provenance
    assert stack.data.dtype == np.uint16
    assert np.array_equal(np.asarray(stack.data), array)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "float32", "float64"])
def test_pixel_types_survive(tmp_path: Path, dtype: str) -> None:
    array = ramp((3, 4, 5), dtype)
    write_ome_tiff(tmp_path / "a.ome.tif", array, "ZYX")
    stack = read_stack(tmp_path / "a.ome.tif")
    assert stack.data.dtype == dtype
    assert np.array_equal(np.asarray(stack.data), array)


def test_axes_of_length_one_survive(tmp_path: Path) -> None:
    write_ome_tiff(tmp_path / "a.ome.tif", ramp((1, 1, 4, 5)), "CZYX")
    stack = read_stack(tmp_path / "a.ome.tif")
    assert (stack.axes, stack.data.shape) == ("CZYX", (1, 1, 4, 5))


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 1), (1, 1, 1, 1)])
@pytest.mark.parametrize("kind", [{}, {"ome": True}, {"imagej": True}])
def test_a_single_voxel_is_a_plane(
    tmp_path: Path, shape: tuple[int, ...], kind: dict[str, bool]
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, np.full(shape, 7, np.uint8), photometric="minisblack", **kind
    )
    stack = read_stack(path)
    assert stack.axes == "YX"
    assert np.array_equal(np.asarray(stack.data), [[7]])


def test_axes_stored_behind_the_plane_are_moved_before_it(tmp_path: Path) -> None:
    array = ramp((4, 5, 3))
    write_ome_tiff(tmp_path / "a.ome.tif", array, "YXZ")
    stack = read_stack(tmp_path / "a.ome.tif")
    assert stack.axes == "ZYX"
    assert np.array_equal(np.asarray(stack.data), array.transpose(2, 0, 1))


def test_unknown_voxel_sizes_stay_unknown(tmp_path: Path) -> None:
    write_ome_tiff(tmp_path / "a.ome.tif", ramp((3, 4, 5)), "ZYX", (None, 0.1, 0.1))
    assert read_stack(tmp_path / "a.ome.tif").voxel_size == (None, 0.1, 0.1)


def test_the_ome_xml_speaks_micrometres(tmp_path: Path) -> None:
    write_ome_tiff(tmp_path / "a.ome.tif", ramp((3, 4, 5)), "ZYX", (0.3, 0.1, 0.1))
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tif:
        pixels = tifffile.xml2dict(tif.ome_metadata)["OME"]["Image"]["Pixels"]
    assert pixels["PhysicalSizeZ"] == 0.3
    assert pixels["PhysicalSizeZUnit"] == "µm"


@pytest.mark.parametrize(
    ("array", "axes", "error", "message"),
    [
        (np.zeros((2, 3), "int64"), "YX", DataError, "cannot hold int64"),
        (np.zeros((0, 3), "uint8"), "YX", DataError, "nothing to write"),
        (np.zeros((2, 3), "uint8"), "ZY", AxesError, "needs the axes Y and X"),
        (np.zeros((2, 3), "uint8"), "ZYX", AxesError, "name 3 axes"),
    ],
)
def test_what_cannot_be_written_is_refused(
    tmp_path: Path, array: np.ndarray, axes: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        write_ome_tiff(tmp_path / "a.ome.tif", array, axes)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    class Breaks:
        shape, dtype = (3, 4, 5), np.dtype("uint8")

        def __getitem__(self, index: Any) -> Any:
            if index[0] == 2:
                raise OSError(28, "No space left on device")
            return np.zeros((4, 5), "uint8")

    target = tmp_path / "a.ome.tif"
    write_ome_tiff(target, ramp((3, 4, 5)), "ZYX")
    before = target.read_bytes()
    with pytest.raises(DataError, match="No space left"):
        write_ome_tiff(target, Breaks(), "ZYX")
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("byteorder", "<>")
def test_imagej_hyperstacks(tmp_path: Path, byteorder: str) -> None:
    array = ramp((2, 4, 3, 6, 5))
    tifffile.imwrite(
        tmp_path / "a.tif",
        array,
        imagej=True,
        byteorder=byteorder,
        resolution=(10.0, 5.0),
        metadata={"axes": "TZCYX", "unit": "um", "spacing": 0.4},
    )
    stack = read_stack(tmp_path / "a.tif")
    assert stack.axes == "TZCYX"
    assert stack.voxel_size == pytest.approx((0.4, 0.2, 0.1))
    assert stack.data.dtype == np.dtype("uint16")
    assert np.array_equal(np.asarray(stack.data), array)


def test_imagej_names_its_channels(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif",
        ramp((2, 6, 5)),
        imagej=True,
        metadata={"axes": "CYX", "Labels": ["DNA", "actin"]},
    )
    assert read_stack(tmp_path / "a.tif").channel_names == ("DNA", "actin")


@pytest.mark.parametrize(
    ("resolution", "unit", "expected"),
    [
        ((1e5, 1e5), "CENTIMETER", (None, 0.1, 0.1)),
        ((72, 72), "INCH", (None, None, None)),
        ((1200, 1200), "INCH", (None, None, None)),
        ((1, 1), "NONE", (None, None, None)),
    ],
)
def test_a_printers_resolution_is_not_believed(
    tmp_path: Path,
    resolution: tuple[float, float],
    unit: str,
    expected: tuple[None, float | None, float | None],
) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif",
        ramp((6, 5)),
        resolution=resolution,
        resolutionunit=unit,
        metadata=None,
    )
    assert read_stack(tmp_path / "a.tif").voxel_size == pytest.approx(expected)


def test_an_unnamed_axis_is_taken_as_z_and_said(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", ramp((7, 6, 5)))
    stack = read_stack(tmp_path / "a.tif")
    assert stack.axes == "ZYX"
    assert "taken as Z" in stack.metadata["notes"][0]


def test_axes_can_be_said(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", ramp((4, 7, 6, 5)))
    with pytest.raises(AxesError, match="2 axes have no names"):
        read_stack(tmp_path / "a.tif")
    assert read_stack(tmp_path / "a.tif", axes="tcyx").axes == "TCYX"
    with pytest.raises(AxesError, match="asked for"):
        read_stack(tmp_path / "a.tif", axes="ZYX")


def test_planes_are_read_only_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = ramp((9, 6, 5))
    tifffile.imwrite(tmp_path / "a.tif", array, compression="zlib")
    data = read_stack(tmp_path / "a.tif").data
    read = []
    original = type(data).decoded
    monkeypatch.setattr(
        type(data), "decoded", lambda self, n: read.append(n) or original(self, n)
    )

    assert np.array_equal(data[2:4, 1:3, ::2], array[2:4, 1:3, ::2])
    assert np.array_equal(data[3], array[3])

    assert read == [2, 3]


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize(
    "index",
    [
        (1,),
        (slice(None), 2),
        (..., 3),
        (-1, slice(None, None, 2), slice(1, 4), -2),
        (slice(3, 1), slice(None)),
        (np.int64(1), slice(0, 2)),
        (0, 1, 2, 3),
    ],
)
def test_indexing_is_that_of_numpy(
    tmp_path: Path,
    compression: str | None,
    index: tuple[int | slice | EllipsisType, ...],
) -> None:
    array = ramp((3, 4, 6, 5))
    tifffile.imwrite(
        tmp_path / "a.tif",
        array,
        imagej=compression is None,
        compression=compression,
        photometric="minisblack",
        metadata={"axes": "ZCYX"},
    )
    data = read_stack(tmp_path / "a.tif").data
    assert np.array_equal(data[index], array[index])
    assert data[index].shape == array[index].shape


def test_wrong_indices_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", ramp((6, 5)))
    data = read_stack(tmp_path / "a.tif").data
    with pytest.raises(IndexError):
        data[0, 0, 0]
    with pytest.raises(TypeError):
        data[[0, 1]]


def test_a_lazy_array_can_be_sent_to_another_process(tmp_path: Path) -> None:
    array = ramp((7, 6, 5))
    tifffile.imwrite(tmp_path / "a.tif", array, compression="zlib")
    data = pickle.loads(pickle.dumps(read_stack(tmp_path / "a.tif").data))
    assert np.array_equal(data[1:], array[1:])
