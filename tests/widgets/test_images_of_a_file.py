"""A file of a vendor with several images: all are opened, and all but one hidden."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_blurgan.widgets import reader
from tests.support.vendor_files import VOXEL, image, write_lif


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    messages: list[str] = []
    monkeypatch.setattr(reader, "show_info", messages.append)
    return messages


def test_all_images_are_opened(tmp_path: Path, said: list[str]) -> None:
    stacks = {f"Series {n}": image((2, n + 2, 8, 9), "uint8") for n in range(3)}
    path = tmp_path / "cell.lif"
    write_lif(path, {name: ("CZYX", pixels) for name, pixels in stacks.items()})
    viewer = ViewerModel()
    for data, attributes, _ in reader.read(str(path)):
        viewer.add_image(data, **attributes)
    names = [layer.name for layer in viewer.layers]
    assert names[:2] == ["cell, channel 0", "cell, channel 1"]
    assert names[-1] == "cell Series 2, channel 1"
    assert [layer.visible for layer in viewer.layers] == [True] * 2 + [False] * 4
    for number, pixels in enumerate(stacks.values()):
        for channel in range(2):
            layer = viewer.layers[2 * number + channel]
            np.testing.assert_array_equal(np.asarray(layer.data), pixels[channel])
            np.testing.assert_allclose(layer.scale, VOXEL)
    assert said[-1] == "cell.lif: the first 3 of 3 images were opened"


def test_there_is_an_end(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MOST", 2)
    images = {str(n): ("ZYX", image((3, 8, 9), "uint8")) for n in range(4)}
    write_lif(tmp_path / "a.lif", images)
    assert len(reader.read(str(tmp_path / "a.lif"))) == 2
    assert said[-1] == "a.lif: the first 2 of 4 images were opened"
