"""Train where images come without the size of a voxel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari import Viewer
from napari.layers import Image
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QPushButton

from napari_blurgan.widgets._layers import to_stack
from napari_blurgan.widgets.train import TrainWidget
from tests.support.docks import idle


def test_a_voxel_size_is_asked_for_and_typed(
    widget: TrainWidget,
    bare: Image,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
) -> None:
    form = widget.data.voxels
    assert not form.isHidden()
    widget.data.optics.setChecked(True)
    widget.data.update_values({"make": "microtubules"})
    click(widget.run.start_button)
    assert idle(widget)
    assert "Enter it below" in widget.messages.text()
    for axis, size in zip("zyx", (0.3, 0.1, 0.1), strict=True):
        form.fields[axis].selectAll()
        QTest.keyClicks(form.fields[axis], str(size))
    click(form.set_button)
    assert form.isHidden()
    assert to_stack(bare).voxel_size == (0.3, 0.1, 0.1)
    click(widget.run.start_button)
    until(lambda: widget.plot.last_step > 1)


@pytest.mark.parametrize("dims", [2, 3])
def test_synthetic_structures_need_no_voxel_size(
    viewer: Viewer,
    widget: TrainWidget,
    bare: Image,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
    dims: int,
) -> None:
    if dims == 2:
        widget.data.blurred.untick()
        planes = viewer.add_image(
            np.asarray(bare.data), name="film", axis_labels=("t", "y", "x")
        )
        widget.data.blurred.tick(planes)
    widget.data.update_values({"make": "vesicles", "optics": {"known": False}})
    widget.advanced["changes"].value += " forward.start=gaussian"
    click(widget.run.start_button)
    until(lambda: widget.plot.last_step > 1)
    assert "vesicles are simulated for 0.2 × 0.1 × 0.1 µm" in widget.messages.text()
    until(lambda: "voxels across" in widget.psf.text())
    assert "untick" not in widget.messages.text()


def test_files_take_the_typed_size_too(
    widget: TrainWidget, tmp_path: Path, volumes: tuple[np.ndarray, np.ndarray]
) -> None:
    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, volumes[0].astype(np.float32), photometric="minisblack")
    widget.data.blurred.untick()
    widget.data.blurred.tick(path)
    form = widget.data.voxels
    assert "plain" in form._words.text()
    form.fields["z"].setValue(0.3)
    form.fields["y"].setValue(0.1)
    form.set_button.click()
    (stack,) = widget.data.blurred.stacks()
    assert stack.voxel_size == (0.3, 0.1, 0.1)
    assert form.isHidden()
