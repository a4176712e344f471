"""A transformation from the widget: two domains, two thresholds, a model, a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_blurgan.content.content import Content
from napari_blurgan.models.model import load_model
from napari_blurgan.monitoring.events import ContentMeasured
from napari_blurgan.optics.phantoms import StainedCells, stained_cells
from napari_blurgan.tasks.restore import restore
from napari_blurgan.widgets import _state, transform
from napari_blurgan.widgets._controls import Phase
from napari_blurgan.widgets._layers import result_layer, to_stack
from napari_blurgan.widgets._levels import Level, levels_of
from napari_blurgan.widgets._transforming import mosaic
from napari_blurgan.widgets._view import corners_of_view
from napari_blurgan.widgets._words import HERE
from napari_blurgan.widgets.transform import TransformWidget
from napari_blurgan.writing.ome_tiff import write_ome_tiff

SMALL = (
    "reconstructor.base=2 reconstructor.blocks=1 discriminator.base=2 "
    "sampling.patch=32 precision=float32 steps=3"
)

NOTHING = np.zeros((1, 1, 4, 4), np.float32)
CONTENT = Content(0.3, 0.5, 0.2, 1.0, True, NOTHING, NOTHING, NOTHING[0])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transform, "DRAW", 50)


@pytest.fixture
def fields() -> list[StainedCells]:
    return [
        stained_cells((48, 48), seed=s, count=c) for s, c in ((1, (2, 2)), (2, (3, 3)))
    ]


@pytest.fixture
def viewer(
    make_napari_viewer_proxy: Callable[..., Viewer], fields: list[StainedCells]
) -> Viewer:
    viewer = make_napari_viewer_proxy()
    stain = (255 * fields[1].colour).astype(np.uint8)
    viewer.add_image(stain, rgb=True, name="stain")
    viewer.add_image(fields[0].grey, name="cells", scale=(0.5, 0.5), translate=(3, 4))
    return viewer


@pytest.fixture
def widget(viewer: Viewer) -> TransformWidget:
    widget = TransformWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Transform")
    widget.form["task"].value = "staining"
    widget.domains["A"].tick(viewer.layers["cells"])
    widget.domains["B"].tick(viewer.layers["stain"])
    widget.advanced["changes"].value = SMALL
    widget.advanced["device"].value = "cpu"
    return widget


def train(widget: Any, qtbot: QtBot) -> None:
    widget.run.start_button.click()
    qtbot.waitUntil(lambda: widget.run.phase is Phase.IDLE, timeout=60_000)
    assert not widget.messages.details, widget.messages.details


def test_from_picked_thresholds_to_a_stained_layer(
    viewer: Viewer, widget: TransformWidget, qtbot: QtBot
) -> None:
    levels = levels_of(viewer)
    levels.find("A", Level(0.25, False, "cells"), viewer.layers["cells"])
    levels.find("B", Level(210.0, True, "stain"), viewer.layers["stain"])
    assert widget.form["alpha"].value == 0.25
    assert widget.form["beta"].value == 210
    assert widget.form["bright_b"].value
    widget.advanced["changes"].value += " sampling.held_out=0"
    widget.form["minutes"].value = 0.1
    qtbot.mouseClick(widget.run.start_button, Qt.MouseButton.LeftButton)
    assert widget._settings._content.isHidden()  # folded, so that the run is in view
    qtbot.waitUntil(lambda: "cells · preview" in viewer.layers, timeout=60_000)
    qtbot.waitUntil(lambda: widget.plot.last_step > 0, timeout=60_000)
    widget.run.stop_button.click()
    qtbot.waitUntil(lambda: widget.run.phase is Phase.IDLE, timeout=60_000)
    assert not widget.messages.details, widget.messages.details
    assert "Stopped at step" in widget.run.words.text()
    preview = viewer.layers["cells · preview"]
    assert preview.rgb
    np.testing.assert_allclose(preview.scale, (0.5, 0.5))
    assert "Content preserved" in widget.content.text()
    disagreement = viewer.layers["cells · content disagreement"]
    cells = viewer.layers["cells"]
    np.testing.assert_allclose(disagreement.scale, cells.scale)
    assert disagreement.units == cells.units
    assert disagreement.extent.world[0, -1] > cells.extent.world[1, -1]
    assert viewer.dims.ndim == 2  # no slider more than before
    model = load_model(widget._request.out)
    saliency = model.recipe.saliency
    assert (saliency.alpha, saliency.beta) == (0.25, 210.0)
    assert saliency.bright_background_b
    result = restore(model, to_stack(viewer.layers["cells"]), device="cpu")
    assert (result.axes, result.data.dtype) == ("YXS", np.uint8)
    source = viewer.layers["cells"]
    pixels, attributes, _ = result_layer(source, result, "restored", "YX")
    restored = viewer.add_image(pixels, **attributes)
    assert restored.rgb
    np.testing.assert_allclose(restored.extent.world, source.extent.world)


def test_what_is_missing_is_reported_before_anything_starts(
    viewer: Viewer, widget: TransformWidget
) -> None:
    widget.run.start_button.click()
    assert "domain A has no threshold yet" in widget.messages.text()
    widget.domains["B"].untick()
    widget.form["alpha"].value, widget.form["beta"].value = 0.25, 210
    widget.run.start_button.click()
    assert "tick at least one image of domain B" in widget.messages.text()
    assert widget.run.phase is Phase.IDLE


def test_the_form_is_checked_as_it_is_filled(
    viewer: Viewer, widget: TransformWidget, qtbot: QtBot
) -> None:
    def said() -> Any:
        qtbot.waitUntil(lambda: not widget.missing.pending, timeout=5000)
        return widget.missing.text()

    assert "domain A has no threshold yet" in said()
    widget.form["alpha"].value, widget.form["beta"].value = 0.25, 210
    assert said() == ""
    assert widget.missing.isHidden()
    changes = widget.advanced["changes"].value
    widget.advanced["changes"].value = f"{changes} sampling.patch=4096"
    assert said().startswith("Not ready yet: ")
    widget.place.name.setText("mine")
    assert "mine.blurgan" in widget.place.words.text().replace(HERE, "")


def test_a_threshold_outside_the_data_fails_in_a_sentence(
    viewer: Viewer, widget: TransformWidget, qtbot: QtBot
) -> None:
    widget.form["alpha"].value, widget.form["beta"].value = 0.25, 0.8
    widget.run.start_button.click()
    qtbot.waitUntil(lambda: widget.run.phase is Phase.IDLE, timeout=60_000)
    assert (
        "threshold of domain B (beta) is 0.8, but its images" in widget.messages.text()
    )
    widget._job = None


def test_a_folder_is_a_domain_too(
    viewer: Viewer, widget: TransformWidget, fields: list[StainedCells], tmp_path: Path
) -> None:
    for number, field in enumerate(fields):
        write_ome_tiff(tmp_path / f"{number}.ome.tif", field.grey, "YX")
    (tmp_path / "notes.txt").write_text("no image")
    widget.domains["A"].untick()
    widget.add_folder("A", tmp_path)
    assert [s.name for s in widget.domains["A"].sources()] == ["0.ome.tif", "1.ome.tif"]


def test_pick_opens_the_picker_on_the_layer(
    viewer: Viewer, widget: TransformWidget
) -> None:
    widget._pick("B")
    picker = next(
        dock for title, dock in viewer.window.dock_widgets.items() if "Thresh" in title
    )
    assert picker.form["layer"].value.name == "stain"
    assert picker.form["domain"].value == "B"
    picker.level["bright"].value = True
    picker._choose("Otsu")
    assert widget._levels["B"].value == picker.threshold
    assert widget.form["beta"].value == pytest.approx(picker.threshold, rel=1e-3)


@pytest.mark.parametrize(
    ("task", "bright"),
    [("staining", (False, True)), ("labelling", (True, False))],
)
def test_a_task_knows_which_background_is_bright(
    widget: TransformWidget, task: str, bright: tuple[bool, bool]
) -> None:
    widget.form["task"].value = task
    assert (widget.form["bright_a"].value, widget.form["bright_b"].value) == bright


def test_the_sample_has_two_modalities_beside_each_other(
    make_napari_viewer_proxy: Callable[..., Viewer],
) -> None:
    viewer = make_napari_viewer_proxy()
    viewer.open_sample("napari-blurgan", "cells")
    dim, stained = viewer.layers["dim cells"], viewer.layers["stained cells"]
    assert stained.rgb
    assert dim.data.shape == stained.data.shape[:-1]
    assert dim.extent.world[1][-1] < stained.extent.world[0][-1]


def test_both_modalities_of_the_sample_are_in_view(
    make_napari_viewer: Callable[..., Viewer], qtbot: QtBot
) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.open_sample("napari-blurgan", "cells")
    both = (64 + 8 + 64 - 1) / 2
    qtbot.waitUntil(lambda: abs(viewer.scene.camera.center[-1] - both) < 1)
    for layer in viewer.layers:
        low, high = corners_of_view(layer)
        assert (high - low)[1:3].tolist() == [63, 63]


def test_what_was_typed_is_there_the_next_time(
    viewer: Viewer, widget: TransformWidget
) -> None:
    widget.form.update_values({"minutes": 7, "alpha": 0.25, "bright_a": True})
    widget.advanced["seed"].value = 3
    viewer.window.remove_dock_widget(widget)
    again = TransformWidget(viewer)
    assert again.domains["A"].names() == ["cells"]
    assert again.form.values() == widget.form.values()
    assert again.form["task"].value == "staining"
    assert again.advanced["seed"].value == 3


def test_a_threshold_stays_with_its_images(
    viewer: Viewer, widget: TransformWidget
) -> None:
    widget.form["alpha"].value, widget.form["beta"].value = 0.25, 210
    viewer.window.remove_dock_widget(widget)
    levels = levels_of(viewer)
    levels["A"] = levels["B"] = Level()  # as in a napari started anew
    viewer.layers["cells"].name = "other cells"
    again = TransformWidget(viewer)
    assert again.domains["A"].names() == []
    assert levels["A"].value is None
    assert levels["B"] == Level(210.0, True)
    assert again.form["beta"].value == 210


def test_ticked_layers_bring_the_threshold_found_in_them(
    viewer: Viewer, widget: TransformWidget
) -> None:
    levels, found = levels_of(viewer), Level(190.0, True, "stain")
    levels.find("B", found, viewer.layers["stain"])
    levels["B"] = Level(7.0, layer="of an image that is gone")
    widget.domains["B"].untick()
    widget.domains["B"].tick(viewer.layers["stain"])
    assert levels["B"] == found


def test_only_sections_along_z_ask_for_the_size_of_a_voxel(
    viewer: Viewer, widget: TransformWidget
) -> None:
    volume = viewer.add_image(np.zeros((6, 20, 20), np.float32), name="volume")
    widget.domains["A"].tick(volume)
    assert widget.voxels.isHidden()
    widget.form["task"].value = "isotropic"
    assert "volume" in widget.voxels._words.text()
    widget.voxels.fields["z"].setValue(0.5)
    widget.voxels.fields["y"].setValue(0.1)
    widget.voxels.set_button.click()
    assert widget.voxels.isHidden()
    np.testing.assert_allclose(volume.scale, (0.5, 0.1, 0.1))


def test_patches_lie_side_by_side() -> None:
    patches = np.arange(5)[:, None, None] * np.ones((5, 2, 3))
    found = mosaic(patches)
    np.testing.assert_array_equal(found[::2, ::3], [[0, 1, 2], [3, 4, 0]])
    assert mosaic(np.zeros((3, 4, 2, 3))).shape == (4, 4, 6)


def test_little_content_kept_comes_with_advice(widget: TransformWidget) -> None:
    little = replace(CONTENT, iou=-1e-9)
    widget._heard(ContentMeasured(1, little))
    assert "Content preserved: 0%" in widget.content.text()
    assert "Do not trust it" in widget.content.text()
    widget._heard(ContentMeasured(1, replace(CONTENT, iou=0.8)))
    assert "trust" not in widget.content.text()


def test_a_finished_transformation_is_trained_further(
    viewer: Viewer,
    widget: TransformWidget,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the thresholds that it was trained with, whatever the fields say now."""
    levels = levels_of(viewer)
    levels.find("A", Level(0.25, False, "cells"), viewer.layers["cells"])
    levels.find("B", Level(210.0, True, "stain"), viewer.layers["stain"])
    widget.form["minutes"].value = 0.1
    train(widget, qtbot)
    (folder,) = _state.models.list()
    before = load_model(folder).provenance["steps"]
    levels.find("A", Level(0.75, False, "cells"), viewer.layers["cells"])
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    qtbot.mouseClick(widget.continue_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: widget.run.phase is Phase.IDLE, timeout=60_000)
    assert not widget.messages.details, widget.messages.details
    assert _state.models.list() == [folder]
    model = load_model(folder)
    assert model.provenance["steps"] > before
    assert model.recipe.saliency.alpha == 0.25


def test_what_is_no_model_is_not_trained_further(
    widget: TransformWidget, tmp_path: Path
) -> None:
    widget.continue_model(tmp_path)
    assert "recipe.yaml" in widget.messages.text()
    assert widget.run.phase is Phase.IDLE
