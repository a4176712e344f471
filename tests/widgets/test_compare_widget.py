"""The Compare widget in real napari."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

from napari_blurgan.measure import compare, fsc
from napari_blurgan.widgets.compare import CompareWidget, profiles
from tests.support.docks import finish, opened


@pytest.fixture
def widget(viewer: Viewer) -> Iterator[CompareWidget]:
    widget = opened(viewer, "Compare")
    widget.form.update_values(
        {"first": viewer.layers["blurred"], "second": viewer.layers["sharp"]}
    )
    yield widget
    finish(widget)


@pytest.fixture
def press(widget: CompareWidget, qtbot: QtBot) -> Callable[..., None]:
    def press(button: QPushButton) -> None:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: widget._job is None, timeout=60_000)

    return press


def test_the_figures_are_those_of_the_core(
    widget: CompareWidget,
    press: Callable[..., None],
    volumes: tuple[np.ndarray, np.ndarray],
) -> None:
    press(widget.measure_button)
    expected = compare(*volumes)
    assert f"{expected.psnr:.2f}" in widget.table.text()
    assert f"{expected.ssim_fitted:.3f}" in widget.table.text()


def test_two_exposures_share_detail(
    viewer: Viewer, widget: CompareWidget, press: Callable[..., None]
) -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(32, 64, 64))
    for name in ("first", "second"):
        exposure = truth + rng.normal(size=truth.shape)
        layer = viewer.add_image(exposure, name=name, scale=(0.3, 0.1, 0.1))
        widget.form[name].value = layer
    widget.form["measure"].value = "shells"
    press(widget.measure_button)
    first, second = (viewer.layers[name].data for name in ("first", "second"))
    found = fsc(first, second, (0.3, 0.1, 0.1))
    words = found.note if found.value is None else f"{found.value:.3g} µm"
    assert words in widget.table.text()


def test_layers_of_other_shapes_are_refused_in_words(
    viewer: Viewer, widget: CompareWidget, press: Callable[..., None]
) -> None:
    widget.form["second"].value = viewer.add_image(np.ones((3, 9, 9)), name="odd")
    press(widget.measure_button)
    assert "shape" in widget.messages.text()
    assert widget.measure_button.isEnabled()


def look(viewer: Viewer) -> Any:
    """Return what a person sees and could have set."""
    layers = [
        (x.name, x.visible, tuple(x.contrast_limits), x.name_overlay.visible)
        for x in viewer.layers
    ]
    grid = viewer.canvas.grid
    return layers, grid.enabled, grid.shape, grid.stride


def seen(viewer: Viewer) -> Any:
    return {x.name for x in viewer.layers if x.visible}


def test_the_overlay_lies_where_the_layers_lie(
    viewer: Viewer, widget: CompareWidget, press: Callable[..., None]
) -> None:
    press(widget.overlay_button)
    for name, colour in (("blurred", "magenta"), ("sharp", "green")):
        source, shown = viewer.layers[name], viewer.layers[f"{name} · {colour}"]
        assert shown.colormap.name == colour
        assert shown.blending == "additive"
        np.testing.assert_allclose(shown.extent.world, source.extent.world)
        assert not source.visible


def test_the_overlay_hides_everything_else_and_brings_it_back(
    viewer: Viewer, widget: CompareWidget, press: Callable[..., None]
) -> None:
    viewer.add_image(np.ones((20, 40, 40)), name="a third")
    viewer.add_image(np.ones((20, 40, 40)), name="hidden", visible=False)
    before = look(viewer)
    press(widget.overlay_button)
    assert seen(viewer) == {"blurred · magenta", "sharp · green"}
    press(widget.overlay_button)
    assert look(viewer) == before


def test_side_by_side_and_back(
    viewer: Viewer, widget: CompareWidget, press: Callable[..., None]
) -> None:
    viewer.add_image(np.ones((20, 40, 40)), name="a third")
    before = look(viewer)
    press(widget.grid_button)
    grid = viewer.canvas.grid
    assert grid.enabled
    assert seen(viewer) == {"blurred", "sharp"}
    first, second = viewer.layers["blurred"], viewer.layers["sharp"]
    places = [
        grid.position(viewer.layers.index(x), viewer.layers) for x in viewer.layers
    ]
    assert places[viewer.layers.index(first)] == (0, 0)
    assert places[viewer.layers.index(second)] == (0, 1)
    assert first.contrast_limits == second.contrast_limits
    assert first.name_overlay.visible
    assert second.name_overlay.visible
    press(widget.grid_button)
    assert look(viewer) == before


def test_long_names_fit_beside_each_other(
    viewer: Viewer, widget: CompareWidget, press: Callable[..., None]
) -> None:
    usual = viewer.layers["blurred"].name_overlay.font_size
    viewer.layers["blurred"].name = "a cell with a very long name " * 2
    viewer.canvas.size = (600, 800)
    press(widget.grid_button)
    long, short = (widget.form[n].value.name_overlay for n in ("first", "second"))
    assert long.font_size < short.font_size == usual
    press(widget.grid_button)
    assert long.font_size == usual


def test_a_truth_of_other_units_keeps_its_contrast(
    viewer: Viewer, widget: CompareWidget, press: Callable[..., None]
) -> None:
    truth = viewer.add_image(np.random.default_rng(0).random((20, 40, 40)) / 1000)
    limits = tuple(truth.contrast_limits)
    widget.form["second"].value = truth
    press(widget.grid_button)
    assert tuple(truth.contrast_limits) == limits


def test_the_first_is_left_whatever_the_order_of_the_layers(
    viewer: Viewer, widget: CompareWidget, press: Callable[..., None]
) -> None:
    widget.form.update_values(
        {"first": viewer.layers["sharp"], "second": viewer.layers["blurred"]}
    )
    press(widget.grid_button)
    index = viewer.layers.index("sharp")
    assert viewer.canvas.grid.position(index, viewer.layers) == (0, 0)


def test_one_way_to_look_ends_the_other(
    viewer: Viewer, widget: CompareWidget, press: Callable[..., None]
) -> None:
    before = look(viewer)
    press(widget.overlay_button)
    press(widget.grid_button)
    assert not widget.overlay_button.isChecked()
    assert seen(viewer) == {"blurred", "sharp"}
    press(widget.grid_button)
    assert look(viewer) == before


def test_another_choice_is_looked_at_in_the_same_way(
    viewer: Viewer, widget: CompareWidget, press: Callable[..., None]
) -> None:
    viewer.add_image(np.ones((20, 40, 40)), name="a third")
    press(widget.overlay_button)
    widget.form["second"].value = viewer.layers["a third"]
    assert seen(viewer) == {"blurred · magenta", "a third · green"}
    viewer.layers.remove("a third")
    assert not widget.overlay_button.isChecked()
    assert "choose two" in widget.messages.text()


def test_a_profile_follows_the_line_in_the_world(viewer: Viewer) -> None:
    ramp = np.broadcast_to(np.arange(50.0), (40, 50))
    place = {"scale": (0.1, 0.2), "translate": (5, 7)}
    pair = tuple(viewer.add_image(ramp * k, name=str(k), **place) for k in (1, 2))
    line = np.array([[6.0, 7.0], [6.0, 7.0 + 0.2 * 40]])
    distance, lines = profiles(pair, line)
    np.testing.assert_allclose(lines["1"], distance / 0.2, atol=1e-5)
    np.testing.assert_allclose(lines["2"], 2 * lines["1"], atol=1e-5)


def test_a_drawn_line_is_taken(
    viewer: Viewer, widget: CompareWidget, press: Callable[..., None]
) -> None:
    viewer.add_shapes(
        [np.array([[5.0, 1.0, 1.0], [5.0, 3.0, 3.0]])], shape_type="line", name="line"
    )
    press(widget.profile_button)
    assert widget.messages.text() == ""
    assert [x.get_label() for x in widget._figure.axes[0].get_lines()] == [
        "blurred",
        "sharp",
    ]


def test_without_a_line_it_says_so(
    widget: CompareWidget, press: Callable[..., None]
) -> None:
    press(widget.profile_button)
    assert "draw a line" in widget.messages.text()
