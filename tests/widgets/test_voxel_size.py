"""A stack without a voxel size: asked for in the window, written into the layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_blurgan.data.stack import Stack
from napari_blurgan.optics.psf import Psf
from napari_blurgan.widgets._layers import is_measured, stack_layer, to_stack
from napari_blurgan.widgets._psf_layers import add_psf
from napari_blurgan.widgets._voxel_size import VoxelSizeForm, set_voxel_size
from tests.support.docks import opened

SIZE = (0.3, 0.1, 0.1)


@pytest.fixture
def form(
    make_napari_viewer: Callable[..., Viewer], qtbot: QtBot
) -> tuple[Viewer, VoxelSizeForm]:
    viewer = make_napari_viewer()
    form = VoxelSizeForm(viewer)
    viewer.window.add_dock_widget(form, name="Voxels")
    return viewer, form


def typed(form: Any, **sizes: Any) -> None:
    for axis, size in sizes.items():
        field = form.fields[axis]
        field.selectAll()
        QTest.keyClicks(field, str(size))


def test_a_typed_size_is_the_layer_s_scale_in_micrometres(
    form: tuple[Viewer, VoxelSizeForm], qtbot: QtBot
) -> None:
    viewer, form = form
    layer = viewer.add_image(
        np.zeros((2, 5, 8, 9)), name="cell", translate=(0, 0, 4, 0)
    )
    viewer.dims.set_current_step(1, 3)
    form.look_at([layer, None])
    assert not form.isHidden()
    assert "cell: the voxel size is unknown" in form._words.text()
    assert not form.set_button.isEnabled()
    typed(form, z=0.3, y=0.1)
    told = []
    form.given.connect(told.append)
    qtbot.mouseClick(form.set_button, Qt.MouseButton.LeftButton)
    assert told == [SIZE]
    assert to_stack(layer, "TZYX").voxel_size == SIZE
    assert [str(u) for u in layer.units] == ["pixel", *["micrometer"] * 3]
    np.testing.assert_allclose(layer.translate, (0, 0, 0.4, 0))
    assert viewer.dims.current_step[1] == 3
    assert form.isHidden()


def test_what_lies_in_the_voxels_of_a_layer_goes_on_fitting(
    form: tuple[Viewer, VoxelSizeForm], qtbot: QtBot
) -> None:
    """Its PSFs, its results and what was drawn on it; not another image."""
    viewer, form = form
    cell = viewer.add_image(np.zeros((9, 40, 40)), name="cell")
    result = viewer.add_image(np.zeros((9, 40, 40)), name="cell · restored")
    points = viewer.add_points([[4, 8, 9]], name="marks")
    other = viewer.add_image(np.zeros((9, 40, 40)), name="another cell")
    spot = np.zeros((5, 9, 9), np.float32)
    spot[2, 4, 4] = 1
    known = add_psf(viewer, Psf(spot, (0.2, 0.13, 0.13), {"file": "a.tif"}), cell)
    learned = add_psf(viewer, Psf(spot, (1, 1, 1), {"model": "learned"}), cell)
    form.look_at([cell])
    typed(form, z=0.3, y=0.1)
    qtbot.mouseClick(form.set_button, Qt.MouseButton.LeftButton)
    for layer in (cell, result, points, learned):
        assert tuple(layer.scale) == SIZE
    assert tuple(known.scale) == (0.2, 0.13, 0.13)
    assert tuple(other.scale) == (1, 1, 1)
    psfs = (known, learned)
    assert {str(x.units[-1]) for x in (result, points, *psfs)} == {"micrometer"}
    edges = [cell.extent.world[1][-1], *(p.extent.world[0][-1] for p in psfs)]
    assert edges == sorted(edges)
    assert known.extent.world[1][-1] < learned.extent.world[0][-1]
    np.testing.assert_allclose(result.extent.world, cell.extent.world)


def test_pixels_are_square_until_the_person_says_otherwise(
    form: tuple[Viewer, VoxelSizeForm],
) -> None:
    _, form = form
    typed(form, y=0.1)
    assert form.fields["x"].value() == 0.1
    typed(form, x=0.2)
    typed(form, y=0.15)
    assert form.fields["x"].value() == 0.2


def test_planes_are_not_asked_for_z(form: tuple[Viewer, VoxelSizeForm]) -> None:
    viewer, form = form
    film = viewer.add_image(np.zeros((6, 8, 9)), axis_labels=("t", "y", "x"))
    form.look_at([film])
    assert form.fields["z"].isHidden()
    typed(form, y=0.1)
    form.set_button.click()
    assert to_stack(film).voxel_size == (None, 0.1, 0.1)


def test_what_is_known_is_not_asked_for(form: tuple[Viewer, VoxelSizeForm]) -> None:
    viewer, form = form
    known = viewer.add_image(np.zeros((5, 8, 9)), scale=SIZE, units=("um",) * 3)
    form.look_at([known])
    assert form.isHidden()
    data, attributes, _ = stack_layer(
        Stack(np.zeros((5, 8, 9)), "ZYX", (None, 0.1, 0.2))
    )
    partly = viewer.add_image(data, **attributes)
    form.look_at([known, partly])
    assert form.fields["y"].value() == 0.1
    assert form.fields["x"].value() == 0.2
    typed(form, z=0.3)
    form.set_button.click()
    assert to_stack(partly).voxel_size == (0.3, 0.1, 0.2)


def test_an_unknown_z_leaves_y_and_x_known() -> None:
    viewer = ViewerModel()
    stack = Stack(np.zeros((5, 8, 9)), "ZYX", (None, 0.1, 0.2))
    data, attributes, _ = stack_layer(stack)
    layer = viewer.add_image(data, **attributes)
    np.testing.assert_allclose(layer.scale, (1, 0.1, 0.2))
    assert [str(u) for u in layer.units] == ["pixel", "micrometer", "micrometer"]
    assert to_stack(layer).voxel_size == (None, 0.1, 0.2)
    assert not is_measured(to_stack(layer))


@pytest.mark.parametrize(
    "placed",
    [
        {"scale": (0.3, -0.1, 0.1), "units": ("um",) * 3},
        {"scale": (-0.3, 0.1, 0.1)},
        {"scale": (300, 100, 100), "units": ("nm",) * 3},
        {"affine": np.diag([0.3, 0.1, -0.1, 1]), "units": ("um",) * 3},
        {"scale": SIZE, "rotate": (0, 0, 30), "units": ("um",) * 3},
    ],
)
def test_a_flipped_or_turned_layer_has_the_same_voxels(placed: dict[str, Any]) -> None:
    layer = ViewerModel().add_image(np.zeros((5, 8, 9)), **placed)
    np.testing.assert_allclose(to_stack(layer).voxel_size, SIZE)


def test_a_flipped_layer_stays_flipped() -> None:
    layer = ViewerModel().add_image(np.zeros((5, 8, 9)), scale=(1, -1, 1))
    set_voxel_size(layer, SIZE)
    np.testing.assert_allclose(layer.scale, (0.3, -0.1, 0.1))


def test_axes_of_any_order_are_measured_each_by_itself() -> None:
    labels = ("x", "y", "z")
    layer = ViewerModel().add_image(np.zeros((9, 8, 5)), axis_labels=labels)
    set_voxel_size(layer, (0.3, 0.1, 0.2))
    np.testing.assert_allclose(layer.scale, (0.2, 0.1, 0.3))
    assert to_stack(layer).voxel_size == (0.3, 0.1, 0.2)


@pytest.mark.parametrize("name", ["PSF", "Deconvolve", "Restore"])
def test_whoever_needs_the_size_asks_for_it(
    make_napari_viewer: Callable[..., Viewer], qtbot: QtBot, name: str
) -> None:
    viewer = make_napari_viewer()
    layer = viewer.add_image(np.zeros((9, 32, 32)), name="unmeasured")
    widget = opened(viewer, name)
    widget.form["layer"].value = layer
    assert not widget.voxels.isHidden()
    typed(widget.voxels, z=0.3, y=0.1)
    qtbot.mouseClick(widget.voxels.set_button, Qt.MouseButton.LeftButton)
    assert to_stack(layer).voxel_size == SIZE
    assert widget.voxels.isHidden()


def test_a_psf_without_a_size_is_asked_for_it(
    make_napari_viewer: Callable[..., Viewer], qtbot: QtBot
) -> None:
    viewer = make_napari_viewer()
    cells = viewer.add_image(np.zeros((9, 32, 32)), scale=SIZE, units=("um",) * 3)
    spot = np.zeros((7, 9, 9))
    spot[3, 4, 4] = 1
    psf = viewer.add_image(spot, name="spot")
    widget = opened(viewer, "Deconvolve")
    widget.form.update_values({"layer": cells, "psf": psf})
    assert "spot: the voxel size is unknown" in widget.voxels._words.text()
    typed(widget.voxels, z=0.3, y=0.1)
    qtbot.mouseClick(widget.voxels.set_button, Qt.MouseButton.LeftButton)
    assert widget._request().psfs[0].voxel_size == SIZE


def test_image_and_psf_in_voxels_fit_each_other(
    make_napari_viewer: Callable[..., Viewer],
) -> None:
    viewer = make_napari_viewer()
    cells = viewer.add_image(np.zeros((9, 32, 32)))
    spot = np.zeros((7, 9, 9))
    spot[3, 4, 4] = 1
    psf = viewer.add_image(spot, name="spot")
    widget = opened(viewer, "Deconvolve")
    widget.form.update_values({"layer": cells, "psf": psf})
    request = widget._request()
    assert request.psfs[0].voxel_size == (1, 1, 1)
    assert request._fitted()[0][0].shape == (7, 9, 9)
