"""Layers saved from napari's own dialog keep voxel size, names and optics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from npe2 import PluginManager

from napari_blurgan import read_stack
from napari_blurgan.errors import AxesError
from napari_blurgan.widgets.reader import get_reader
from tests.support.vendor_files import LENS, VOXEL, image, write_czi

PIXELS = image((1, 2, 4, 10, 12))


@pytest.fixture
def viewer(tmp_path: Path) -> Any:
    """Return two channels of a file of Zeiss, opened by this plugin."""
    tiles = [({"C": c, "Z": z}, PIXELS[0, c, z]) for c in range(2) for z in range(4)]
    write_czi(tmp_path / "cell.czi", tiles)
    model, read = ViewerModel(), get_reader(str(tmp_path / "cell.czi"))
    assert read is not None
    for data, attributes, _ in read(str(tmp_path / "cell.czi")):
        model.add_image(data, **attributes)
    return model


def test_a_file_of_a_vendor_opens_with_optics(viewer: Any) -> None:
    assert [layer.name for layer in viewer.layers] == ["cell, dapi", "cell, gfp"]
    known = [layer.metadata["napari-blurgan"]["optics"] for layer in viewer.layers]
    assert known == [
        {"na": 1.2, "ni": 1.333, "wavelength": wave} for wave in (455.0, 520.0)
    ]
    np.testing.assert_allclose(viewer.layers[0].scale, VOXEL)


@pytest.mark.parametrize("name", ["out.ome.tif", "out.zarr"])
def test_layers_are_saved_as_channels(name: str, viewer: Any, tmp_path: Path) -> None:
    PluginManager.instance().discover()
    assert viewer.layers.save(str(tmp_path / name)) == [str(tmp_path / name)]
    found = read_stack(tmp_path / name)
    assert found.axes == "CZYX"
    np.testing.assert_array_equal(np.asarray(found), PIXELS[0])
    assert found.voxel_size == pytest.approx(VOXEL)
    assert found.channel_names == ("dapi", "gfp")


def test_one_layer_is_saved_with_its_optics(viewer: Any, tmp_path: Path) -> None:
    PluginManager.instance().discover()
    path = str(tmp_path / "one.ome.tif")
    for _ in range(2):  # napari has asked whether it may be replaced
        assert viewer.layers[1].save(path) == [path]
    found = read_stack(path)
    np.testing.assert_array_equal(np.asarray(found), PIXELS[0, 1])
    taken = found.metadata["acquisition"]
    assert {name: taken.lens[name] for name in LENS} == LENS
    assert [c["EmissionWavelength"] for c in taken.channels] == ["520"]


def test_layers_that_differ_are_not_one_image(viewer: Any, tmp_path: Path) -> None:
    PluginManager.instance().discover()
    viewer.add_image(np.zeros((3, 10, 12)), name="other")
    with pytest.raises(AxesError, match="cannot be channels of one image"):
        viewer.layers.save(str(tmp_path / "out.ome.tif"))
