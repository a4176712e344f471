"""Layers and stacks: real napari layers, no window."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Points

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError
from napari_blurgan.widgets import _layers

UM = ("um", "um", "um")


def volume(**attributes: Any) -> Any:
    return Image(np.random.default_rng(0).random((5, 40, 30)), **attributes)


def add(data: Any) -> Any:
    pixels, attributes, kind = data
    assert kind == "image"
    return ViewerModel().add_image(pixels, **attributes)


def test_voxel_size_comes_from_scale_and_units() -> None:
    layer = volume(scale=(300, 100, 65), units=("nm", "nm", "nm"))
    assert _layers.to_stack(layer).voxel_size == pytest.approx((0.3, 0.1, 0.065))


def test_a_scale_without_unit_is_read_as_micrometres() -> None:
    assert _layers.to_stack(volume(scale=(0.3, 0.1, 0.1))).voxel_size == (0.3, 0.1, 0.1)


def test_neither_scale_nor_unit_is_unknown_and_said() -> None:
    stack = _layers.to_stack(volume())
    assert stack.voxel_size == (None, None, None)
    assert "voxel size unknown" in _layers.summary(stack)


@pytest.mark.parametrize(
    ("shape", "labels", "axes"),
    [
        ((40, 30), None, "YX"),
        ((5, 40, 30), None, "ZYX"),
        ((5, 40, 30), ("t", "y", "x"), "TYX"),
        ((2, 5, 40, 30), None, "CZYX"),
        ((9, 5, 40, 30), None, "TZYX"),
        ((5, 2, 40, 30), ("Z", "channel", "Y", "X"), "ZCYX"),
        ((3, 2, 5, 40, 30), None, "TCZYX"),
    ],
)
def test_axes_from_labels_then_from_shape(
    shape: tuple[int, ...], labels: tuple[str, ...] | None, axes: str
) -> None:
    assert _layers.guess_axes(Image(np.zeros(shape), axis_labels=labels)) == axes


def test_more_axes_than_letters_are_refused_in_words() -> None:
    with pytest.raises(AxesError, match="label them"):
        _layers.guess_axes(Image(np.zeros((2, 2, 2, 2, 9, 9))))


def test_rgb_is_samples() -> None:
    stack = _layers.to_stack(Image(np.zeros((64, 48, 3), np.uint8), rgb=True))
    assert (stack.axes, stack.channels) == ("YXS", 3)


def test_of_a_pyramid_the_full_resolution_is_taken() -> None:
    pyramid = [np.zeros((64, 64)), np.zeros((32, 32))]
    assert _layers.to_stack(Image(pyramid, multiscale=True)).data.shape == (64, 64)


def test_a_lazy_layer_stays_lazy() -> None:
    data = da.zeros((5, 40, 30))
    assert _layers.to_stack(Image(data, contrast_limits=(0, 1))).data is data


def test_other_layers_are_refused() -> None:
    with pytest.raises(AxesError, match="image layer"):
        _layers.to_stack(Points(np.zeros((3, 2))))


GEOMETRY = {
    "scale": (0.3, 0.1, 0.2),
    "translate": (1.0, 2.0, 3.0),
    "rotate": 30,
    "shear": (0.1, 0.2, 0.3),
    "affine": np.array(
        [[1, 0, 0, 4], [0, 0.8, 0.6, 5], [0, -0.6, 0.8, 6], [0] * 3 + [1]]
    ),
    "units": UM,
    "axis_labels": ("z", "y", "x"),
    "colormap": "magenta",
}


def test_a_result_keeps_the_whole_geometry_and_the_colormap() -> None:
    source = volume(**GEOMETRY)
    stack = _layers.to_stack(source)
    result = add(_layers.result_layer(source, stack, "restored", stack.axes))
    assert result.name == f"{source.name} · restored"
    for name in ("scale", "translate", "rotate", "shear"):
        np.testing.assert_allclose(getattr(result, name), getattr(source, name))
    np.testing.assert_allclose(result.affine.affine_matrix, source.affine.affine_matrix)
    assert (result.units, result.axis_labels) == (source.units, source.axis_labels)
    assert result.colormap.name == "magenta"


def test_one_channel_of_many_lies_where_it_was() -> None:
    rotation = np.eye(4)
    rotation[2:, 2:] = [[0.8, -0.6], [0.6, 0.8]]
    source = Image(
        np.zeros((5, 2, 40, 30)),
        axis_labels=("z", "c", "y", "x"),
        scale=(0.3, 1, 0.1, 0.1),
        translate=(1, 0, 2, 3),
        rotate=rotation,
        units=("um", "pixel", "um", "um"),
    )
    stack = Stack(np.zeros((5, 40, 30)), "ZYX")
    result = add(_layers.result_layer(source, stack, "restored", "ZCYX"))
    assert (result.ndim, result.axis_labels) == (3, ("z", "y", "x"))
    there = source.data_to_world((3, 0, 20, 10))
    assert result.data_to_world((3, 20, 10)) == pytest.approx(np.delete(there, 1))


def test_axes_in_another_order_are_put_back() -> None:
    source = Image(np.zeros((5, 2, 40, 30)), axis_labels=("z", "c", "y", "x"))
    stack = Stack(np.zeros((2, 5, 40, 30)), "CZYX")
    data, _, _ = _layers.result_layer(source, stack, "restored", "ZCYX")
    assert data.shape == (5, 2, 40, 30)


def test_a_result_of_axes_that_the_source_lacks_is_refused() -> None:
    with pytest.raises(AxesError, match="does not fit"):
        _layers.result_layer(
            volume(), Stack(np.zeros((2, 5, 40, 30)), "CZYX"), "restored", "ZYX"
        )


def test_a_field_lies_on_its_place_under_any_transform() -> None:
    source = volume(**GEOMETRY)
    corner = (1, 12, 9)
    field = Stack(np.zeros((2, 10, 8), np.float32), "ZYX")
    layer = add(_layers.field_layer(source, field, "ZYX", corner))
    for voxel in ((0, 0, 0), (1, 5, 7)):
        there = source.data_to_world(np.add(voxel, corner))
        assert layer.data_to_world(voxel) == pytest.approx(there)


def test_a_stack_and_its_layer_say_the_same() -> None:
    stack = Stack(np.zeros((3, 2, 5, 40, 30)), "TCZYX", (0.3, 0.1, 0.1), name="cells")
    back = _layers.to_stack(add(_layers.stack_layer(stack)))
    assert (back.axes, back.voxel_size, back.name) == (
        "TCZYX",
        (0.3, 0.1, 0.1),
        "cells",
    )
