"""The suffix decides how an image is saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_blurgan import read_stack
from napari_blurgan.errors import DataError
from napari_blurgan.writing.saving import save

PIXELS = np.arange(4 * 5 * 6, dtype=np.uint16).reshape(4, 5, 6)


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.zarr"])
def test_pixels_and_voxels_come_back(name: str, tmp_path: Path) -> None:
    save(tmp_path / name, PIXELS, "ZYX", voxel_size=(0.3, 0.1, 0.1))
    found = read_stack(tmp_path / name)
    np.testing.assert_array_equal(np.asarray(found), PIXELS)
    assert found.voxel_size == pytest.approx((0.3, 0.1, 0.1))
    with pytest.raises(DataError, match="exists"):
        save(tmp_path / name, PIXELS, "ZYX")
    save(tmp_path / name, PIXELS + 1, "ZYX", overwrite=True)
    assert int(np.asarray(read_stack(tmp_path / name)).min()) == 1


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="png"):
        save(tmp_path / "a.png", PIXELS, "ZYX")
    assert not list(tmp_path.iterdir())
