"""Files opened in napari: voxel size, channels and colours."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatch
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from napari import Viewer
from napari._app_model import get_app_model
from napari.components import ViewerModel
from npe2 import PluginManifest
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QFileDialog

from napari_blurgan.errors import AxesError
from napari_blurgan.widgets._layers import to_stack
from napari_blurgan.widgets.reader import get_reader
from napari_blurgan.writing.ome_tiff import write_ome_tiff
from napari_blurgan.writing.ome_zarr import create_ome_zarr
from tests.data.test_nifti import written

VOXEL = (0.3, 0.1, 0.2)


def volume(*shape: int) -> Any:
    return np.random.default_rng(0).integers(0, 255, shape).astype("uint8")


def as_tiff(folder: Path, array: np.ndarray, axes: str, names: Any = ()) -> Any:
    write_ome_tiff(folder / "cell.ome.tif", array, axes, VOXEL, names)
    return folder / "cell.ome.tif"


def as_zarr(folder: Path, array: np.ndarray, axes: str, names: Any = ()) -> Any:
    path = folder / "cell.ome.zarr"
    options: dict[str, Any] = {"voxel_size": VOXEL, "channel_names": names}
    made = create_ome_zarr(path, array.shape, axes, array.dtype, array.shape, **options)
    made[:] = array
    return path


def opened(path: Path) -> Any:
    viewer = ViewerModel()
    read = get_reader(str(path))
    assert read is not None
    for data, attributes, _ in read(str(path)):
        viewer.add_image(data, **attributes)
    return viewer.layers


@pytest.mark.parametrize("write", [as_tiff, as_zarr])
def test_each_channel_is_a_layer_in_micrometres(
    tmp_path: Path, write: Callable[..., Any]
) -> None:
    array = volume(3, 2, 5, 12, 10)
    layers = opened(write(tmp_path, array, "TCZYX", ("DNA", "actin")))
    assert [layer.name for layer in layers] == ["cell, DNA", "cell, actin"]
    for channel, layer in enumerate(layers):
        assert np.array_equal(np.asarray(layer.data[...]), array[:, channel])
        assert np.allclose(layer.scale, (1, *VOXEL))
        assert {str(unit) for unit in layer.units[1:]} == {"micrometer"}
        again = to_stack(layer)
        assert (again.axes, again.voxel_size) == ("TZYX", VOXEL)


@pytest.mark.parametrize(
    ("axes", "shape"), [("YXS", (12, 10, 3)), ("SYX", (3, 12, 10))]
)
def test_colours_are_one_layer_however_they_are_stored(
    tmp_path: Path, axes: str, shape: tuple[int, int, int]
) -> None:
    array = volume(*shape)
    (layer,) = opened(as_tiff(tmp_path, array, axes))
    expected = array if axes == "YXS" else np.moveaxis(array, 0, -1)
    assert layer.rgb
    assert np.array_equal(np.asarray(layer.data), expected)


def test_seven_samples_of_a_pixel_are_no_colour(tmp_path: Path) -> None:
    layers = opened(as_tiff(tmp_path, volume(12, 10, 7), "YXS"))
    assert len(layers) == 7
    assert not any(layer.rgb for layer in layers)


def test_the_command_palette_asks_for_files(
    make_napari_viewer: Callable[..., Viewer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
) -> None:
    viewer = make_napari_viewer()
    path = as_tiff(tmp_path, volume(3, 8, 9), "ZYX")
    command = partial(get_app_model().commands.execute_command, "napari-blurgan.read")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *a: ([], ""))
    command().result()
    assert len(viewer.layers) == 0
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *a: ([str(path)], ""))
    command().result()
    assert to_stack(viewer.layers[0]).voxel_size == VOXEL


@pytest.mark.parametrize("name", ["cell.ome.tif", "cell.ome.zarr"])
def test_an_image_is_opened_where_it_lies(tmp_path: Path, name: str) -> None:
    array, place = volume(2, 5, 12, 10), (5.0, -12.0, 40.0)
    path = tmp_path / name
    if path.suffix == ".tif":
        write_ome_tiff(path, array, "CZYX", VOXEL, translation=place)
    else:
        options: dict[str, Any] = {"voxel_size": VOXEL, "translation": place}
        create_ome_zarr(path, array.shape, "CZYX", array.dtype, array.shape, **options)
    for layer in opened(path):
        assert np.allclose(layer.translate, place)


@pytest.mark.parametrize("name", ["scan.h5", "scan.hdf5", "scan.nii", "scan.nii.gz"])
def test_scans_that_are_dropped_on_the_window_are_opened(
    tmp_path: Path, name: str
) -> None:
    values = volume(3, 12, 10).astype(np.uint16)
    if ".nii" in name:
        written(tmp_path / name, values)
    else:
        with h5py.File(tmp_path / name, "w") as file:
            file["images"] = values
    (layer,) = ViewerModel().open(str(tmp_path / name), plugin="napari-blurgan")
    np.testing.assert_array_equal(np.asarray(layer.data), values)
    assert to_stack(layer).axes == "ZYX"
    manifest = PluginManifest.from_file(str(files("napari_blurgan") / "napari.yaml"))
    readers = manifest.contributions.readers or []
    patterns = {p for reader in readers for p in reader.filename_patterns}
    assert any(fnmatch(name, pattern) for pattern in patterns)


def test_a_scan_whose_axes_are_not_known_is_refused_as_such(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["images"] = volume(2, 3, 12, 10)
    with pytest.raises(AxesError, match="axes"):
        opened(tmp_path / "a.h5")
