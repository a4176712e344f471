"""From Start to a model, in real napari: pause, stop, queue, fail, go on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from napari import Viewer
from napari._qt.widgets.qt_progress_bar import QtLabeledProgressBar
from napari.utils.notifications import notification_manager
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_blurgan.models.model import load_model
from napari_blurgan.optimisation.engine import Engine
from napari_blurgan.widgets import _state
from napari_blurgan.widgets._controls import Phase
from napari_blurgan.widgets.train import TrainWidget
from tests.support.docks import idle


def test_train_pause_resume_stop(
    viewer: Viewer,
    widget: TrainWidget,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
    qtbot: QtBot,
) -> None:
    click(widget.run.start_button)
    assert widget.run.phase is Phase.RUNNING
    until(lambda: "blurred · PSF learned" in viewer.layers)
    psf = viewer.layers["blurred · PSF learned"]
    first = np.array(psf.data)
    until(lambda: not np.array_equal(psf.data, first))

    click(widget.run.pause_button)
    assert widget.run.pause_button.text() == "Resume"
    qtbot.wait(700)
    held = widget.plot.last_step
    qtbot.wait(500)
    assert widget.plot.last_step == held

    click(widget.run.pause_button)
    until(lambda: widget.plot.last_step > held)
    click(widget.run.stop_button)
    assert widget.run.phase is Phase.STOPPING
    until(lambda: idle(widget))

    assert psf.scale == pytest.approx((0.3, 0.1, 0.1))
    inside = viewer.layers["blurred"].extent.world
    preview = viewer.layers["blurred · preview"].extent.world
    assert (preview[0] >= inside[0]).all()
    assert (preview[1] <= inside[1]).all()
    (path,) = _state.models.list()
    assert load_model(path).recipe.name == "blind"
    assert widget.restore_button.isEnabled()
    assert "Stopped at step" in widget.run.words.text()


def test_a_run_that_is_stopped_while_it_prepares_leaves_no_model(
    widget: TrainWidget,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
    private_settings: Path,
) -> None:
    click(widget.run.start_button)
    click(widget.run.stop_button)
    until(lambda: idle(widget))
    assert _state.models.list() == []
    assert not list(private_settings.rglob("*.blurgan"))
    assert "no model" in widget.run.words.text()
    assert not widget.restore_button.isEnabled()


@pytest.mark.person
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("The size of tensor a must match"), "size of tensor a"),
        (torch.OutOfMemoryError("CUDA out of memory."), "does not have enough memory"),
    ],
)
def test_a_failing_step_is_reported_and_the_widget_goes_on(
    widget: TrainWidget,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
    monkeypatch: pytest.MonkeyPatch,
    error: Any,
    words: str,
) -> None:
    real, calls = Engine.step, []

    def step(self: Engine, rate: float) -> Any:
        calls.append(rate)
        if len(calls) == 3:
            raise error
        return real(self, rate)

    monkeypatch.setattr(Engine, "step", step)
    click(widget.run.start_button)
    until(lambda: idle(widget))
    assert words in widget.messages.text()
    assert notification_manager.records[-1].severity == "error"
    assert words in notification_manager.records[-1].message
    assert widget.run.start_button.isEnabled()

    click(widget.run.start_button)
    until(lambda: widget.plot.last_step > 3)
    assert words not in widget.messages.text()


def test_stages_are_named_in_the_dock_and_among_napari_s_activities(
    widget: TrainWidget,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
    qtbot: QtBot,
) -> None:
    click(widget.run.start_button)
    until(lambda: widget.run.words.text().startswith("Preparing: "))
    assert widget.run._bar.isVisible() or not widget.isVisible()
    dialog = widget.window()._activity_dialog
    (bar,) = dialog.findChildren(QtLabeledProgressBar)
    assert bar.description_label.text().startswith("training")
    until(lambda: widget.plot.last_step > 0)
    click(widget.run.stop_button)
    until(lambda: idle(widget))
    # Qt deletes it a moment later.
    qtbot.waitUntil(lambda: not dialog.findChildren(QtLabeledProgressBar))


def test_bad_data_are_reported_in_the_words_of_the_core(
    viewer: Viewer,
    widget: TrainWidget,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
) -> None:
    small = viewer.add_image(np.ones((4, 5, 5)), name="tiny")
    widget.data.blurred.tick(small)
    click(widget.run.start_button)
    until(lambda: idle(widget))
    assert "tiny" in widget.messages.text()


@pytest.mark.person
def test_layers_may_be_renamed_and_deleted_meanwhile(
    viewer: Viewer,
    widget: TrainWidget,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
) -> None:
    click(widget.run.start_button)
    until(lambda: "blurred · preview" in viewer.layers)
    until(lambda: "blurred · PSF learned" in viewer.layers)
    viewer.layers["blurred · PSF learned"].name = "my PSF"
    psf = np.array(viewer.layers["my PSF"].data)
    viewer.layers.remove("blurred · preview")
    viewer.layers.remove("blurred")
    viewer.layers.remove("sharp")
    until(lambda: not np.array_equal(viewer.layers["my PSF"].data, psf))
    assert [layer.name for layer in viewer.layers] == ["my PSF"]
    click(widget.run.stop_button)
    until(lambda: idle(widget))
    assert widget.restore_button.isEnabled()


def test_the_user_keeps_the_selected_layer(
    viewer: Viewer,
    widget: TrainWidget,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
) -> None:
    viewer.layers.selection = {viewer.layers["sharp"]}
    click(widget.run.start_button)
    until(lambda: "blurred · preview" in viewer.layers)
    assert viewer.layers.selection.active == viewer.layers["sharp"]


def test_pixels_of_the_user_are_never_written(
    viewer: Viewer,
    widget: TrainWidget,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
    volumes: tuple[np.ndarray, np.ndarray],
) -> None:
    before = [v.copy() for v in volumes]
    click(widget.run.start_button)
    until(lambda: widget.plot.last_step > 5)
    np.testing.assert_array_equal(volumes, before)


def test_trainings_of_one_image_share_their_layers(
    viewer: Viewer,
    widget: TrainWidget,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
) -> None:
    """Except those that were renamed to be kept, and those of the person."""

    def train() -> None:
        click(widget.run.start_button)
        until(lambda: widget.plot.last_step > 2)
        click(widget.run.stop_button)
        until(lambda: idle(widget))

    train()
    preview, psf = (viewer.layers[f"blurred · {n}"] for n in ("preview", "PSF learned"))
    psf_place = psf.extent.world.copy()
    mine = viewer.add_image(np.ones((20, 40, 40)), name="blurred · mine")
    preview.visible = False
    count = len(viewer.layers)
    train()
    assert len(viewer.layers) == count
    assert preview.visible
    assert viewer.layers.index(preview) > viewer.layers.index(mine)
    np.testing.assert_allclose(psf.extent.world, psf_place)
    assert mine.visible
    assert (mine.data == 1).all()
    preview.name = "the good one"
    kept = np.array(preview.data)
    train()
    assert len(viewer.layers) == count + 1
    assert viewer.layers["blurred · preview"] is not preview
    np.testing.assert_array_equal(preview.data, kept)


def test_a_second_training_waits_for_the_first(
    viewer: Viewer,
    widget: TrainWidget,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
) -> None:
    click(widget.run.start_button)
    assert widget.run.start_button.text() == "Queue"
    until(lambda: widget.plot.last_step > 2)
    click(widget.run.start_button)
    first = widget._job
    click(widget.run.stop_button)
    until(lambda: widget._job not in (None, first))
    until(lambda: widget.plot.last_step > 2)
    click(widget.run.stop_button)
    until(lambda: idle(widget))
    names = sorted(path.name for path in _state.models.list())
    assert names == ["blurred-2.blurgan", "blurred.blurgan"]


def test_what_waits_is_dropped_when_the_widget_is_closed(
    viewer: Viewer,
    widget: TrainWidget,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
) -> None:
    click(widget.run.start_button)
    click(widget.run.start_button)
    until(lambda: widget.plot.last_step > 2)
    viewer.window.remove_dock_widget(widget)
    assert widget._job is None


def test_a_sharp_set_is_made_of_another_part(
    viewer: Viewer,
    widget: TrainWidget,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
) -> None:
    source = viewer.layers["blurred"]
    wide = viewer.add_image(
        np.concatenate([np.asarray(source.data)] * 3, axis=2),
        name="wide",
        scale=source.scale,
        units=source.units,
        axis_labels=source.axis_labels,
    )
    widget.data.blurred.untick()
    widget.data.blurred.tick(wide)
    widget.data.update_values({"make": "richardson-lucy"})
    click(widget.run.start_button)
    until(lambda: widget.plot.last_step > 1 and "wide · preview" in viewer.layers)
    # The first part is deconvolved; what is restored lies in the other.
    assert viewer.layers["wide · preview"].extent.world[0, 2] > 0.1 * 60


def test_the_end_of_the_time_is_reported(
    widget: TrainWidget,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
) -> None:
    widget.form["minutes"].value = 0.1
    click(widget.run.start_button)
    said = set()
    widget._timer.timeout.connect(lambda: said.add(widget.run.words.text()))
    until(lambda: "Done: the time is up at step" in widget.run.words.text())
    assert any(words.startswith("Preparing: ") for words in said)


def test_a_stopped_model_is_trained_further(
    widget: TrainWidget,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    click(widget.run.start_button)
    until(lambda: widget.plot.last_step > 3)
    click(widget.run.stop_button)
    until(lambda: idle(widget))
    (folder,) = _state.models.list()
    before = load_model(folder).provenance["steps"]
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    click(widget.continue_button)
    until(lambda: widget.plot.last_step > before + 3)
    click(widget.run.stop_button)
    until(lambda: idle(widget))
    assert _state.models.list() == [folder]
    assert load_model(folder).provenance["steps"] > before + 3


def test_a_model_outlives_a_stop_before_it_goes_on(
    widget: TrainWidget,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
    model_folder: Path,
    tmp_path: Path,
) -> None:
    folder = shutil.copytree(model_folder, tmp_path / "kept.blurgan")
    widget.continue_model(folder)
    click(widget.run.stop_button)
    until(lambda: idle(widget))
    assert load_model(folder).provenance["steps"] == 2
