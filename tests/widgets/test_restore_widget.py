"""The Restore widget in real napari."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.utils.notifications import notification_manager
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

from napari_blurgan import Psf, restore
from napari_blurgan.errors import OutOfMemoryError
from napari_blurgan.optics.kernel import gaussian_kernel
from napari_blurgan.reading.images import read_stack
from napari_blurgan.tasks.restore_request import RestoreRequest, visible_field
from napari_blurgan.tiling import tile_runner as engine
from napari_blurgan.widgets import _state
from napari_blurgan.widgets._controls import Phase
from napari_blurgan.widgets._layers import to_psf, to_stack
from napari_blurgan.widgets._log import LOG
from napari_blurgan.widgets._psf_field import FILE, OTHER
from napari_blurgan.widgets._psf_layers import psf_layer
from napari_blurgan.widgets.restore import RestoreWidget
from tests.support.docks import finish, opened


@pytest.fixture
def widget(viewer: Viewer, model_folder: Path) -> Iterator[RestoreWidget]:
    _state.models.add(model_folder)
    widget = opened(viewer, "Restore")
    widget.form["layer"].value = viewer.layers["blurred"]
    yield widget
    finish(widget)


@pytest.fixture
def click(qtbot: QtBot) -> Callable[[QPushButton], None]:
    return lambda button: qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.fixture
def done(widget: RestoreWidget, qtbot: QtBot) -> Callable[[], None]:
    def wait() -> None:
        assert widget.run.phase is not Phase.IDLE
        qtbot.waitUntil(lambda: widget.run.phase is Phase.IDLE, timeout=60_000)

    return wait


def test_a_restored_layer_lies_on_its_source(
    viewer: Viewer,
    widget: RestoreWidget,
    click: Callable[[QPushButton], None],
    done: Callable[[], None],
) -> None:
    source = viewer.layers["blurred"]
    before = np.array(source.data)
    click(widget.run.start_button)
    done()
    restored = viewer.layers["blurred · restored"]
    assert restored.data.shape == source.data.shape
    np.testing.assert_array_equal(source.data, before)
    np.testing.assert_allclose(restored.extent.world, source.extent.world)
    assert (restored.units, restored.axis_labels) == (source.units, source.axis_labels)
    assert "Tile" in widget.run.words.text() or "Done" in widget.run.words.text()


def test_the_plan_is_reported_before_anything_starts(
    viewer: Viewer, widget: RestoreWidget, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: "1 tile of" in widget.plan.text(), timeout=60_000)
    assert "of RAM" in widget.plan.text()
    assert widget.plan.text().endswith(" s")
    assert widget.run.phase is Phase.IDLE
    assert "blurred · restored" not in viewer.layers


def test_a_long_first_tile_is_not_called_loading(
    widget: RestoreWidget,
    click: Callable[[QPushButton], None],
    done: Callable[[], None],
) -> None:
    lines: list[str] = []
    LOG.added.connect(lines.append)
    click(widget.run.start_button)
    done()
    LOG.added.disconnect(lines.append)
    said = [line.partition("restoring: ")[2] for line in lines]
    assert [words for words in said if words][:2] == ["Loading…", "Restoring…"]


def test_to_a_file(
    viewer: Viewer,
    widget: RestoreWidget,
    click: Callable[[QPushButton], None],
    done: Callable[[], None],
    tmp_path: Path,
) -> None:
    path = tmp_path / "out.ome.tif"
    widget.form["out"].value = str(path)
    click(widget.run.start_button)
    done()
    assert read_stack(path).voxel_size == pytest.approx((0.3, 0.1, 0.1))
    assert viewer.layers["blurred · restored"].data.shape == (20, 40, 40)


def test_one_time_point_of_a_movie(
    viewer: Viewer,
    widget: RestoreWidget,
    click: Callable[[QPushButton], None],
    done: Callable[[], None],
) -> None:
    movie = viewer.add_image(
        np.stack([viewer.layers["blurred"].data] * 3),
        name="movie",
        scale=(1, 0.3, 0.1, 0.1),
        units=("s", "um", "um", "um"),
        axis_labels=("t", "z", "y", "x"),
    )
    widget.form["layer"].value = movie
    assert list(widget.form["time"].choices) == ["all", 0, 1, 2]
    widget.form["time"].value = 1
    click(widget.run.start_button)
    done()
    restored = viewer.layers["movie · restored"]
    assert restored.axis_labels == ("z", "y", "x")
    assert restored.scale == pytest.approx((0.3, 0.1, 0.1))


def test_the_preview_is_of_the_time_point_in_view(
    viewer: Viewer,
    widget: RestoreWidget,
    click: Callable[[QPushButton], None],
    done: Callable[[], None],
) -> None:
    pixels = viewer.layers["blurred"].data
    film = viewer.add_image(
        np.stack([0 * pixels, pixels, 4 * pixels]),
        name="film",
        scale=(2, 0.3, 0.1, 0.1),
        units=("s", "um", "um", "um"),
        axis_labels=("t", "z", "y", "x"),
    )
    widget.form["layer"].value = film
    means = {}
    for step in (1, 2):
        viewer.dims.set_current_step(0, step)
        click(widget.preview_button)
        done()
        preview = viewer.layers["film · preview"]
        assert preview.extent.world[:, 0] == pytest.approx([2 * step, 2 * step])
        means[step] = preview.data.mean()
    assert means[2] > 2 * means[1]


def test_the_preview_holds_all_that_is_in_view(
    viewer: Viewer, widget: RestoreWidget
) -> None:
    wide = viewer.add_image(np.zeros((40, 200, 180), np.float32), name="wide")
    widget.form["layer"].value = wide
    shape = np.array(wide.data.shape)
    cut, _ = visible_field(widget._request(), 0 * shape, shape - 1, shape / 2)
    assert cut.stack.data.shape == (14, 200, 180)


def test_the_result_has_the_contrast_of_its_preview(
    viewer: Viewer,
    widget: RestoreWidget,
    click: Callable[[QPushButton], None],
    done: Callable[[], None],
) -> None:
    click(widget.preview_button)
    done()
    viewer.layers["blurred · preview"].contrast_limits = (3, 70)
    click(widget.run.start_button)
    done()
    assert tuple(viewer.layers["blurred · restored"].contrast_limits) == (3, 70)


def test_the_preview_restores_only_what_is_in_view(
    viewer: Viewer,
    widget: RestoreWidget,
    click: Callable[[QPushButton], None],
    done: Callable[[], None],
) -> None:
    source = viewer.layers["blurred"]
    source.corner_pixels = np.array([[0, 10, 20], [20, 29, 39]])
    click(widget.preview_button)
    done()
    (preview,) = [x for x in viewer.layers if x.name == "blurred · preview"]
    assert preview.data.shape == (16, 20, 20)
    corner = source.world_to_data(preview.data_to_world((0, 0, 0)))
    assert corner[1:] == pytest.approx((10, 20))


def test_only_whole_images_are_compared_with_the_training(
    viewer: Viewer,
    widget: RestoreWidget,
    click: Callable[[QPushButton], None],
    done: Callable[[], None],
) -> None:
    source = viewer.layers["blurred"]
    source.data = 10 * np.asarray(source.data)
    source.corner_pixels = np.array([[0, 10, 20], [20, 29, 39]])
    click(widget.preview_button)
    done()
    assert not widget.messages.text()
    click(widget.run.start_button)
    done()
    assert "times the contrast" in widget.messages.text()


def test_an_image_of_another_colour_is_restored_with_its_own_psf(
    viewer: Viewer,
    widget: RestoreWidget,
    click: Callable[[QPushButton], None],
    done: Callable[[], None],
) -> None:
    source = viewer.layers["blurred"]
    field, others = widget.advanced["psf"], tuple(viewer.layers)
    assert field.choices == (None, OTHER, *others, FILE)
    assert field.value is None
    wide = gaussian_kernel((7, 7, 7), (4, 4, 4))
    data, options, _ = psf_layer(Psf(wide, (0.3, 0.1, 0.1)), source)
    psf = viewer.add_image(data, **options)
    assert field.choices == (None, psf, OTHER, *others, FILE)
    results = []
    for chosen in (None, psf):
        field.value = chosen
        click(widget.run.start_button)
        done()
        results.append(np.asarray(viewer.layers.pop().data))
    assert np.abs(results[0] - results[1]).max() > 0.01 * results[0].std()
    alone = restore(widget.form["model"].value, to_stack(source), psf=to_psf(psf))
    np.testing.assert_array_equal(results[1], alone.data)


def test_the_memory_limit_cuts_the_tiles(
    widget: RestoreWidget, model_folder: Path, viewer: Viewer
) -> None:
    stack = to_stack(viewer.layers["blurred"])
    wide = stack.with_data(np.tile(stack.data, (1, 1, 8)))
    free = RestoreRequest(model_folder, wide, device="cpu")
    whole = free.plan(print)[0]
    assert whole.tiles == 1
    tight = replace(free, memory=whole.device_bytes // 2)
    assert tight.plan(print)[0].tiles > 1
    with pytest.raises(OutOfMemoryError, match="allow at least"):
        replace(free, memory=1_000_000).plan(print)


def test_running_out_of_memory_is_reported(
    widget: RestoreWidget,
    click: Callable[[QPushButton], None],
    done: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run_out(*args: Any) -> None:
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(engine, "_forward", run_out)
    click(widget.run.start_button)
    done()
    assert "memory" in widget.messages.text()
    assert "memory" in notification_manager.records[-1].message
    assert widget.run.start_button.isEnabled()


def test_without_a_model_it_says_what_to_do(
    viewer: Viewer, click: Callable[[QPushButton], None], qtbot: QtBot
) -> None:
    """And it says so before Start."""
    widget = opened(viewer, "Restore")
    qtbot.waitUntil(lambda: "train one first" in widget.plan.text(), timeout=30_000)
    click(widget.run.start_button)
    assert "train one first" in widget.messages.text()


def test_a_model_trained_meanwhile_is_chosen(
    widget: RestoreWidget, model_folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.blurgan"
    other.symlink_to(model_folder)
    _state.models.add(other)
    assert widget.form["model"].value == other


def copy_of(model: Any, path: Path, steps: int) -> Any:
    """Return a copy of a model folder that says how long it was trained."""
    shutil.copytree(model, path)
    summary = json.loads((path / "model.json").read_text())
    summary["provenance"]["steps"] = steps
    (path / "model.json").write_text(json.dumps(summary))
    return path


def test_the_list_marks_models_that_have_hardly_learned(
    widget: RestoreWidget, model_folder: Path, tmp_path: Path
) -> None:
    """And two models of one name can both be chosen."""
    long, none = (
        copy_of(model_folder, tmp_path / place / "cells.blurgan", steps)
        for place, steps in (("long", 2000), ("none", 0))
    )
    empty = tmp_path / "empty.blurgan"
    empty.mkdir()
    for path in (none, long, empty):
        _state.models.add(path)
    box = widget.form["model"].native
    texts = {box.itemData(i): box.itemText(i) for i in range(box.count())}
    assert texts[model_folder] == "⚠ tiny, 2 steps"
    assert texts[none].endswith(", untrained")
    assert "⚠" not in texts[long]
    assert texts[empty] == "⚠ empty, cannot be read"


def test_a_damaged_model_is_reported(
    widget: RestoreWidget,
    click: Callable[[QPushButton], None],
    done: Callable[[], None],
    tmp_path: Path,
) -> None:
    empty = tmp_path / "empty.blurgan"
    empty.mkdir()
    _state.models.add(empty)
    click(widget.run.start_button)
    done()
    assert "empty.blurgan" in widget.messages.text()
