"""Nikon ND2: pixels, geometry, channels and optics."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from napari_blurgan import read_stack
from napari_blurgan.reading.vendors.nd2 import Nd2Array
from tests.support.vendor_files import LENS, VOXEL, image, write_nd2


@pytest.mark.parametrize("shape", [(3, 4, 2, 10, 12), (1, 4, 1, 10, 12)])
def test_a_file_is_read_with_its_metadata(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    pixels = image(shape)
    write_nd2(tmp_path / "cell.nd2", pixels)
    stack = read_stack(tmp_path / "cell.nd2")
    axes = "".join(a for a, n in zip("TZCYX", shape, strict=True) if n > 1)
    assert (stack.axes, stack.name) == (axes, "cell")
    np.testing.assert_array_equal(np.asarray(stack), pixels.squeeze())
    assert stack.voxel_size == (VOXEL[0], VOXEL[2], VOXEL[2])  # its pixels are square
    assert stack.channel_names == ("dye 0", "dye 1")[: shape[2]]
    found = stack.metadata["acquisition"]
    assert found.lens == LENS
    assert [c["EmissionWavelength"] for c in found.channels] == ["455.0", "520.0"][
        : shape[2]
    ]
    assert found.channels[0]["Color"] == "-16776961"  # red, opaque
    assert found.interval == (0.5 if shape[0] > 1 else found.interval)
    assert stack.metadata["notes"] == []
    assert stack.metadata["voxel_size_from"] == "its ND2 header"


def test_the_array_can_be_sent_to_another_process(tmp_path: Path) -> None:
    write_nd2(tmp_path / "a.nd2", image((2, 3, 2, 8, 9)))
    data = read_stack(tmp_path / "a.nd2").data
    assert isinstance(data, Nd2Array)
    again = pickle.loads(pickle.dumps(data))
    np.testing.assert_array_equal(again[1, 2], data[1, 2])
