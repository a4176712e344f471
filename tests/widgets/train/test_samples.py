"""Samples of other measurements, from the menu to a model."""

from __future__ import annotations

import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from napari_blurgan.data.sections import isotropic
from napari_blurgan.models.model import load_model
from napari_blurgan.widgets import _state
from napari_blurgan.widgets._layers import result_layer, to_stack
from tests.support.docks import finish, idle, opened

SMALL = (
    "sampling.patch=16 reconstructor.base=2 discriminator.base=2 "
    "discriminator.scales=1 precision=float32"
)


@pytest.mark.parametrize(
    ("key", "recipe", "extra"),
    [
        ("heads", "mri", ""),
        ("flat_stack", "three-way", "reconstructor.iterations=5"),
        ("projections", "cyclegan", ""),
    ],
)
def test_a_sample_is_opened_and_trained_with(
    key: str, recipe: str, extra: str, viewer: Viewer, qtbot: QtBot
) -> None:
    viewer.open_sample("napari-blurgan", key)
    widget = opened(viewer, "Train")
    widget.advanced.update_values({"changes": f"{SMALL} {extra}", "device": "cpu"})
    (source,) = widget.data.blurred.layers()
    preview = f"{source.name} · preview"
    qtbot.mouseClick(widget.run.start_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: preview in viewer.layers or idle(widget), timeout=60_000)
    assert preview in viewer.layers, widget.messages.details
    shown = viewer.layers[preview]
    assert shown.ndim == source.data.ndim - (key == "heads")
    assert shown.scale[-3] == pytest.approx(0.1 if key == "flat_stack" else 1)
    low, high = (extent[-3:] for extent in source.extent.world)
    assert (shown.extent.world[0] >= low).all()
    assert (shown.extent.world[1] <= high).all()
    qtbot.waitUntil(lambda: widget.plot.last_step > 0, timeout=60_000)
    qtbot.mouseClick(widget.run.stop_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: idle(widget), timeout=60_000)
    finish(widget)
    (path,) = _state.models.list()
    assert load_model(path).recipe.name == recipe


def test_cubes_cover_the_stack_that_they_were_made_of(viewer: Viewer) -> None:
    viewer.open_sample("napari-blurgan", "flat_stack")
    source = viewer.layers[-1]
    stack = to_stack(source)
    made = result_layer(source, isotropic(stack), "restored", stack.axes)
    layer = viewer.add_image(made[0], **made[1])
    assert layer.data.shape == (63, 96, 96)
    assert layer.scale == pytest.approx((0.1, 0.1, 0.1))
    assert layer.extent.world == pytest.approx(source.extent.world, abs=0.051)
