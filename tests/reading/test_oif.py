"""Olympus OIF: pixels, geometry, channels and optics."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from napari_blurgan import read_stack
from napari_blurgan.errors import DataError
from napari_blurgan.reading.vendors.oif import OifArray
from tests.support.vendor_files import VOXEL, image, write_oif


def test_a_file_is_read_with_its_metadata(tmp_path: Path) -> None:
    pixels = image((2, 4, 10, 12))
    write_oif(tmp_path / "cell.oif", pixels)
    stack = read_stack(tmp_path / "cell.oif")
    assert (stack.axes, stack.name) == ("CZYX", "cell")
    np.testing.assert_array_equal(np.asarray(stack), pixels)
    assert stack.voxel_size == pytest.approx(VOXEL)
    assert stack.channel_names == ("CH1", "Cy5")
    found = stack.metadata["acquisition"]
    assert found.lens == {"LensNA": "1.2", "NominalMagnification": "40"}
    assert found.channels == ({"EmissionWavelength": "520"}, {"Fluor": "Cy5"})
    assert isinstance(stack.data, OifArray)
    again = pickle.loads(pickle.dumps(stack.data))
    np.testing.assert_array_equal(again[1, 2], pixels[1, 2])


def test_missing_planes_and_folders_are_errors(tmp_path: Path) -> None:
    write_oif(tmp_path / "a.oif", image((2, 4, 10, 12)))
    folder = tmp_path / "a.oif.files"
    (folder / "s_C001Z002.tif").unlink()
    with pytest.raises(DataError, match="declares 8 planes, 7 are there"):
        read_stack(tmp_path / "a.oif")
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"a.oif: .*storage path not found"):
        read_stack(tmp_path / "a.oif")
