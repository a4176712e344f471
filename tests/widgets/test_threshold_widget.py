"""Thresholds by clicking, with the mouse on napari's own canvas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np
import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot

from napari_blurgan.content.histogram import FROM_HISTOGRAM
from napari_blurgan.widgets._levels import Level, kept, levels_of
from tests.support.mouse import Mouse

LOW, HIGH = (3, 4), (14, 20)
MORE_LOW, MORE_HIGH = (20, 5), (16, 17)


@pytest.fixture
def picture() -> np.ndarray:
    """Return an image whose grey levels all differ: dark, with a bright block."""
    image = np.arange(24 * 30).reshape(24, 30) % 17 + 10.0
    image[10:19, 14:25] += 100
    return image


@pytest.fixture
def mouse(make_napari_viewer: Callable[..., Viewer], qtbot: QtBot) -> Mouse:
    return Mouse(make_napari_viewer(), qtbot)


def mean_of(image: np.ndarray, places: Any) -> Any:
    return np.mean([image[p] for p in places])


def test_four_clicks_make_a_threshold_and_its_mask(
    mouse: Mouse, picture: np.ndarray
) -> None:
    layer = mouse.viewer.add_image(picture, name="cells")
    widget = mouse.open()
    widget.form["radius"].value = 0
    told = []
    levels_of(mouse.viewer).changed.connect(told.append)
    mouse.pick(widget, layer, [LOW, MORE_LOW], [HIGH, MORE_HIGH])
    low, high = mean_of(picture, [LOW, MORE_LOW]), mean_of(picture, [HIGH, MORE_HIGH])
    alpha = (low + high) / 2
    assert widget.threshold == alpha
    assert set(told) == {"A"}
    found = Level(alpha, False, "cells")
    assert kept(layer) == {"A": found}
    assert levels_of(mouse.viewer)["A"] == found
    assert "Content lies above α" in widget.side.text()
    mask = mouse.viewer.layers["cells · content above"]
    np.testing.assert_array_equal(np.asarray(mask.data), picture > alpha)
    assert len(mouse.viewer.layers["cells · picked"].data) == 4
    assert mouse.viewer.layers.selection.active is layer
    assert not widget.messages.text()


PLACED = {
    "scale": {"scale": (0.5, 2.0), "translate": (7, -3), "units": ("um", "um")},
    "rotation": {"scale": (2, 2), "rotate": 35},
    "affine": {"affine": [[1.2, 0.3, 5], [-0.2, 0.8, -4], [0, 0, 1]]},
}


@pytest.mark.parametrize("placed", PLACED)
def test_wherever_the_image_lies(
    mouse: Mouse, picture: np.ndarray, placed: str
) -> None:
    layer = mouse.viewer.add_image(picture, name="cells", **PLACED[placed])
    widget = mouse.open()
    widget.form["radius"].value = 0
    mouse.pick(widget, layer, [LOW], [HIGH])
    alpha = (picture[LOW] + picture[HIGH]) / 2
    assert widget.threshold == alpha
    mask = mouse.viewer.layers["cells · content above"]
    np.testing.assert_array_equal(np.asarray(mask.data), picture > alpha)
    np.testing.assert_allclose(mask.extent.world, layer.extent.world)


def test_in_the_planes_of_lazy_volumes_in_time(
    mouse: Mouse, picture: np.ndarray
) -> None:
    film = np.stack([picture, picture + 7, picture + 30]).astype(np.uint16)
    film = np.stack([film, film + 1000])
    data = da.from_array(film, chunks=(1, 1, 12, 30))
    layer = mouse.viewer.add_image(
        data, axis_labels=("t", "z", "y", "x"), scale=(1, 2, 0.5, 0.5), name="film"
    )
    widget = mouse.open()
    widget.form["radius"].value = 0
    mouse.viewer.dims.set_current_step(0, 1)
    mouse.viewer.dims.set_current_step(1, 2)
    mouse.pick(widget, layer, [(1, 2, *LOW)], [(1, 2, *HIGH)])
    alpha = (int(film[(1, 2, *LOW)]) + int(film[(1, 2, *HIGH)])) / 2
    assert widget.threshold == alpha
    mask = mouse.viewer.layers["film · content above"]
    np.testing.assert_array_equal(np.asarray(mask.data[1, 2]), film[1, 2] > alpha)
    np.testing.assert_array_equal(np.asarray(mask.data), film > alpha)


def test_colour_counts_by_its_mean_and_opacity_does_not(
    mouse: Mouse, picture: np.ndarray
) -> None:
    shades = [picture, picture + 30, picture + 60, np.full_like(picture, 255)]
    image = np.stack(shades, -1).astype(np.uint8)
    layer = mouse.viewer.add_image(image, rgb=True, name="stain")
    widget = mouse.open()
    widget.form["radius"].value = 0
    mouse.pick(widget, layer, [LOW], [HIGH])
    mean = image[..., :3].mean(-1)
    alpha = (mean[LOW] + mean[HIGH]) / 2
    assert widget.threshold == pytest.approx(alpha)
    mask = mouse.viewer.layers["stain · content above"]
    assert mask.data.shape == picture.shape
    np.testing.assert_array_equal(np.asarray(mask.data), mean > alpha)


def test_channels_count_by_their_mean(mouse: Mouse, picture: np.ndarray) -> None:
    image = np.stack([picture, picture + 50])
    layer = mouse.viewer.add_image(image, axis_labels=("c", "y", "x"), name="two")
    widget = mouse.open()
    widget.form["radius"].value = 0
    mouse.pick(widget, layer, [(0, *LOW)], [(0, *HIGH)])
    alpha = (picture[LOW] + picture[HIGH]) / 2 + 25
    assert widget.threshold == alpha
    mask = np.asarray(mouse.viewer.layers["two · content above"].data)
    np.testing.assert_array_equal(mask, np.stack([image.mean(0) > alpha] * 2))


def test_multiscale_images_are_picked_at_full_resolution(
    mouse: Mouse, picture: np.ndarray
) -> None:
    image = np.kron(picture, np.ones((8, 8)))
    levels_of_detail = [image, image[::2, ::2], image[::4, ::4]]
    layer = mouse.viewer.add_image(levels_of_detail, multiscale=True, name="slide")
    widget = mouse.open()
    low, high = (tuple(8 * i + 4 for i in place) for place in (LOW, HIGH))
    widget.form["radius"].value = 2
    mouse.pick(widget, layer, [low], [high])
    alpha = (picture[LOW] + picture[HIGH]) / 2
    assert widget.threshold == alpha
    mask = mouse.viewer.layers["slide · content above"]
    for seen, detail in zip(mask.data, levels_of_detail, strict=True):
        np.testing.assert_array_equal(np.asarray(seen), detail > alpha)


def test_a_drag_picks_along_its_way_and_undo_takes_it_back(
    mouse: Mouse, picture: np.ndarray
) -> None:
    layer = mouse.viewer.add_image(picture, name="cells")
    widget = mouse.open()
    widget.form["radius"].value = 1
    mouse.press(widget.pick_buttons["background"])
    before = tuple(mouse.viewer.scene.camera.center)
    mouse.drag(layer, (3, 3), (3, 8), (3, 13))
    assert tuple(mouse.viewer.scene.camera.center) == before
    points = mouse.viewer.layers["cells · picked"]
    assert len(points.data) == 3
    widget._undo()
    assert len(points.data) == 2
    points.selected_data = {0}
    points.remove_selected()
    assert "(1 disc)" in widget.words.text()
    widget._clear()
    assert "background none yet" in widget.words.text()


def test_without_a_mode_the_mouse_is_napari_s(
    mouse: Mouse, picture: np.ndarray
) -> None:
    layer = mouse.viewer.add_image(picture, name="cells")
    widget = mouse.open()
    mouse.press(widget.pick_buttons["background"])
    assert widget._pointer.on
    mouse.press(widget.pick_buttons["background"])
    mouse.click(layer, LOW)
    assert "cells · picked" not in mouse.viewer.layers
    mouse.press(widget.pick_buttons["foreground"])
    widget.hide()
    assert not widget._pointer.on


def test_a_brighter_background_ticks_itself(mouse: Mouse, picture: np.ndarray) -> None:
    layer = mouse.viewer.add_image(picture, name="cells")
    widget = mouse.open()
    mouse.pick(widget, layer, [HIGH], [LOW])
    assert "The picked background is brighter" in widget.messages.text()
    assert widget.level["bright"].value
    mask = mouse.viewer.layers["cells · content below"]
    below = picture < widget.threshold
    np.testing.assert_array_equal(np.asarray(mask.data), below)
    assert kept(layer)["A"].bright_background
    assert f"Content lies below α = {widget.threshold:.5g}" in widget.side.text()
    widget._clear()
    mouse.pick(widget, layer, [LOW], [HIGH])
    assert not widget.level["bright"].value
    assert "cells · content above" in mouse.viewer.layers


def test_what_goes_wrong_is_reported_in_a_sentence(
    mouse: Mouse, picture: np.ndarray
) -> None:
    layer = mouse.viewer.add_image(picture, name="cells")
    widget = mouse.open()
    mouse.press(widget.pick_buttons["background"])
    mouse.click(layer, LOW)
    mouse.press(widget.pick_buttons["background"])
    widget._picked()
    assert "no foreground was picked" in widget.messages.text()
    widget.form["radius"].value = 6
    mouse.pick(widget, layer, [], [(14, 13)])
    assert "background and foreground overlap" in widget.messages.text()
    mouse.press(widget.pick_buttons["foreground"])
    mouse.click(layer, (-3, -3))
    assert "outside cells" in widget.messages.text()


def test_by_the_histogram_alone(mouse: Mouse, picture: np.ndarray) -> None:
    mouse.viewer.add_image(picture, name="cells")
    widget = mouse.open()
    for name in ("Otsu", "triangle"):
        widget._choose(name)
        assert widget.threshold == pytest.approx(FROM_HISTOGRAM[name](picture))
    widget.slider.setValue(500)
    assert widget.threshold == pytest.approx(np.ptp(picture) / 2 + 10)
    widget.level["show"].value = False
    assert "cells · content above" not in mouse.viewer.layers


def test_another_layer_keeps_what_was_found(mouse: Mouse, picture: np.ndarray) -> None:
    first = mouse.viewer.add_image(picture, name="first")
    mouse.viewer.add_image(picture[:, ::-1], name="second")
    widget = mouse.open()
    widget.form["layer"].value = first
    widget._choose("Otsu")
    found = levels_of(mouse.viewer)["A"]
    widget.form["layer"].value = mouse.viewer.layers["second"]
    widget.form["domain"].value = "B"
    widget.form["layer"].value = first
    assert levels_of(mouse.viewer)["A"] == kept(first)["A"] == found
    assert widget.form["domain"].value == "A"


def test_when_closed_it_takes_its_outline_along_and_leaves_the_picks(
    mouse: Mouse, picture: np.ndarray
) -> None:
    viewer = mouse.viewer
    layer = viewer.add_image(picture, name="cells")
    widget = mouse.open()
    mouse.pick(widget, layer, [LOW], [HIGH])
    alpha, points = widget.threshold, viewer.layers["cells · picked"]
    mouse.press(widget.pick_buttons["foreground"])
    viewer.window.remove_dock_widget(widget)
    mouse.until(lambda: "cells · content above" not in viewer.layers)
    points.add([MORE_LOW])
    assert [layer.name for layer in viewer.layers] == ["cells", "cells · picked"]
    assert not widget._pointer.on
    assert kept(layer)["A"].value == alpha
    mouse.open()
    assert "cells · content above" in viewer.layers


def test_domain_and_radius_are_there_the_next_time(
    mouse: Mouse, picture: np.ndarray
) -> None:
    known = mouse.viewer.add_image(picture, name="known")
    levels_of(mouse.viewer).find("A", Level(50.0, layer="known"), known)
    widget = mouse.open()
    widget.form["layer"].value = mouse.viewer.add_image(picture, name="new")
    widget.form["domain"].value, widget.form["radius"].value = "B", 7
    mouse.viewer.window.remove_dock_widget(widget)
    mouse.viewer.layers.selection.active = known
    again = mouse.open()
    assert again.form["radius"].value == 7
    assert (again.layer, again.form["domain"].value) == (known, "A")
    again.form["layer"].value = mouse.viewer.layers["new"]
    assert levels_of(mouse.viewer)["A"].value == 50.0
    assert levels_of(mouse.viewer)["B"].value is None


def test_napari_may_be_closed_right_after_it(mouse: Mouse, picture: np.ndarray) -> None:
    layer = mouse.viewer.add_image(picture, name="cells")
    widget = mouse.open()
    mouse.pick(widget, layer, [LOW], [HIGH])
    gone = []
    widget.destroyed.connect(lambda: gone.append(True))
    mouse.viewer.window.remove_dock_widget(widget)
    mouse.viewer.close()
    mouse.until(lambda: bool(gone))


def test_the_layer_follows_the_layer_list(mouse: Mouse, picture: np.ndarray) -> None:
    first = mouse.viewer.add_image(picture, name="first")
    second = mouse.viewer.add_image(picture[:, ::-1], name="second")
    widget = mouse.open()
    mouse.viewer.layers.selection.active = first
    assert widget.layer is first
    mouse.viewer.layers.selection.active = second
    assert widget.layer is second
    points = mouse.viewer.add_points(np.zeros((1, 2)), name="points")
    mouse.viewer.layers.selection.active = points
    assert widget.layer is second


def test_what_is_not_seen_is_not_picked(mouse: Mouse, picture: np.ndarray) -> None:
    below = mouse.viewer.add_image(picture, name="below")
    above = mouse.viewer.add_image(picture, name="above", translate=(0, 15))
    widget = mouse.open()
    mouse.viewer.layers.selection.active = below
    mouse.press(widget.pick_buttons["background"])
    mouse.click(below, (4, 20))
    assert "That is above, which lies above below" in widget.messages.text()
    assert "below · picked" not in mouse.viewer.layers
    mouse.click(below, (4, 5))
    assert len(mouse.viewer.layers["below · picked"].data) == 1
    above.blending = "additive"
    mouse.click(below, (4, 20))
    assert len(mouse.viewer.layers["below · picked"].data) == 2
    below.visible = False
    mouse.click(below, (4, 5))
    assert "below is hidden" in widget.messages.text()


def test_a_threshold_of_another_layer_is_not_replaced_in_silence(
    mouse: Mouse, picture: np.ndarray
) -> None:
    mouse.viewer.add_image(picture, name="first")
    mouse.viewer.add_image(picture + 50, name="second")
    widget = mouse.open()
    widget.form["layer"].value = mouse.viewer.layers["first"]
    widget._choose("Otsu")
    before = widget.threshold
    widget.form["layer"].value = mouse.viewer.layers["second"]
    assert widget.threshold == before
    widget._choose("Otsu")
    assert f"α was {before:.5g}, found in first" in widget.messages.text()
