"""The Train widget in real napari: a person's ways through it, right and wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from napari import Viewer
from napari.layers import Image
from napari.utils.notifications import notification_manager
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_blurgan.estimates.judge import Judgement
from napari_blurgan.methods.presets import preset
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models.model import load_model
from napari_blurgan.monitoring.events import Judged, Warned
from napari_blurgan.optimisation.engine import Engine
from napari_blurgan.widgets import _state
from napari_blurgan.widgets._controls import Phase
from napari_blurgan.widgets._fields import changes_of
from napari_blurgan.widgets._layers import METADATA_KEY, to_stack
from napari_blurgan.widgets._remedies import remedy
from napari_blurgan.widgets._words import HERE
from napari_blurgan.widgets.train import TrainWidget
from tests.support.docks import finish, opened


@pytest.fixture
def widget(viewer: Viewer, small: str, qtbot: QtBot) -> Iterator[TrainWidget]:
    widget = opened(viewer, "Train")
    widget.data.blurred.tick(viewer.layers["blurred"])
    widget.data.sharp.tick(viewer.layers["sharp"])
    widget.data.update_values({"make": "layers", "optics": {"known": True}})
    widget.advanced.update_values({"changes": small, "device": "cpu"})
    yield widget
    finish(widget)


@pytest.fixture
def click(qtbot: QtBot) -> Callable[[QPushButton], None]:
    return lambda button: qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.fixture
def until(qtbot: QtBot, widget: TrainWidget) -> Callable[[Callable[[], bool]], None]:
    """Wait for something to happen, but not beyond the end of the training."""

    def wait(condition: Callable[[], bool]) -> None:
        qtbot.waitUntil(lambda: condition() or idle(widget), timeout=60_000)
        assert condition(), widget.messages.details

    return wait


def idle(widget: Any) -> Any:
    return widget.run.phase is Phase.IDLE


def test_train_pause_resume_stop(
    viewer: Viewer,
    widget: TrainWidget,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
    qtbot: QtBot,
) -> None:
    click(widget.run.start_button)
    assert widget.run.phase is Phase.RUNNING
    until(lambda: "PSF learned" in viewer.layers)
    psf = viewer.layers["PSF learned"]
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


def test_what_is_missing_is_said_before_anything_starts(
    widget: TrainWidget, click: Callable[[QPushButton], None]
) -> None:
    widget.data.sharp.clear()
    click(widget.run.start_button)
    assert "sharp image" in widget.messages.text()
    assert idle(widget)


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
    until(lambda: "PSF learned" in viewer.layers)
    viewer.layers["PSF learned"].name = "my PSF"
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


def test_what_was_typed_is_there_the_next_time(
    viewer: Viewer,
    widget: TrainWidget,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
) -> None:
    widget.form["minutes"].value = 7
    widget.data.optics.fields["na"].value = 1.25
    click(widget.run.start_button)
    click(widget.run.stop_button)
    until(lambda: idle(widget))
    widget.data.blurred.untick()
    widget.data.blurred.tick(viewer.layers["sharp"])
    viewer.window.remove_dock_widget(widget)
    again = opened(viewer, "Train")
    assert again.form["minutes"].value == 7
    assert again.data.blurred.names() == ["sharp"]
    assert again.data.make_sharp == "layers"
    assert again.data.optics.fields["na"].value == 1.25


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


@pytest.fixture
def bare(viewer: Viewer, widget: TrainWidget) -> Image:
    """Return the blurred layer without a voxel size, ticked alone."""
    pixels = viewer.layers["blurred"].data
    layer = viewer.add_image(pixels, name="bare")
    widget.data.optics.setChecked(False)
    for sources in (widget.data.blurred, widget.data.sharp):
        sources.untick()
    widget.data.blurred.tick(layer)
    return layer


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


def missing(widget: Any, qtbot: QtBot) -> Any:
    """Return what the form says of itself, once it has been checked."""
    qtbot.waitUntil(lambda: not widget.missing.pending, timeout=5000)
    return widget.missing.text()


def test_how_unseen_photons_are_predicted_is_said_live(widget: TrainWidget) -> None:
    assert widget.criterion.isHidden()
    widget._on_events([Judged(50, Judgement(0.98, 1.0, 0.005))])
    assert not widget.criterion.isHidden()
    assert widget.criterion.text() == (
        "Step 50: predicts held-out photons better than Richardson–Lucy by 2.00% ± "
        "0.50%."
    )


def test_the_form_says_what_is_missing_before_start(
    viewer: Viewer, widget: TrainWidget, bare: Image, qtbot: QtBot
) -> None:
    widget.data.update_values({"make": "richardson-lucy", "optics": {"known": False}})
    assert "needs a PSF" in missing(widget, qtbot)
    widget.data.optics.setChecked(True)
    assert "without the size of a voxel" in missing(widget, qtbot)
    widget.data.voxels.fields["z"].setValue(0.3)
    widget.data.voxels.fields["y"].setValue(0.1)
    widget.data.voxels.set_button.click()
    assert not missing(widget, qtbot)
    widget.advanced["changes"].value += " sampling.patch=64"
    assert "smaller than a patch" in missing(widget, qtbot)
    widget.advanced["changes"].value = "nonsense"
    assert "expected name=value" in missing(widget, qtbot)
    widget.advanced["changes"].value = "sampling.patch=16"
    two = viewer.add_image(
        np.zeros((2, 9, 40, 40)), name="two", axis_labels=("c", "z", "y", "x")
    )
    widget.data.blurred.untick()
    widget.data.optics.setChecked(False)
    widget.data.update_values({"make": "microtubules"})
    widget.data.blurred.tick(two)
    assert "2 in the" in missing(widget, qtbot)
    widget.advanced["channel"].value = 1
    assert not missing(widget, qtbot)


def test_settings_unfold_where_something_is_missing(
    widget: TrainWidget, click: Callable[[QPushButton], None]
) -> None:
    widget.data.sharp.untick()
    widget._settings.set_open(False)
    click(widget.run.start_button)
    assert "sharp image" in widget.messages.text()
    assert not widget.data.isHidden()
    assert widget._settings._opened


def test_a_nonblind_recipe_asks_for_a_psf(widget: TrainWidget, qtbot: QtBot) -> None:
    widget.data.optics.setChecked(False)
    widget.form["preset"].value = "nonblind"
    assert "needs a known blur" in missing(widget, qtbot)


def with_optics(viewer: Viewer, name: str, **optics: Any) -> Any:
    blurred = viewer.layers["blurred"]
    metadata = {METADATA_KEY: {"optics": optics}} if optics else {}
    return viewer.add_image(
        blurred.data, name=name, scale=blurred.scale, units=blurred.units,
        metadata=metadata,
    )  # fmt: skip


def test_optics_of_another_image_are_an_offer_only(
    viewer: Viewer, widget: TrainWidget
) -> None:
    form, sources = widget.data.optics, widget.data.blurred
    form.setChecked(False)
    sources.untick()
    sources.tick(with_optics(viewer, "known", na=1.2, ni=1.33, wavelength=455))
    assert form.isChecked()
    sources.untick()
    sources.tick(with_optics(viewer, "unknown"))
    assert not form.isChecked()
    assert form.fields["na"].value == 1.2
    form.setChecked(True)  # a person says so: it stays
    sources.untick()
    sources.tick(with_optics(viewer, "another"))
    assert form.isChecked()


def test_remembered_optics_are_known_for_the_same_image_only(
    viewer: Viewer, widget: TrainWidget
) -> None:
    widget.data.optics.fields["na"].value = 1.25
    viewer.window.remove_dock_widget(widget)
    viewer.layers["blurred"].name = "of another microscope"
    again = opened(viewer, "Train")
    assert again.data.optics.fields["na"].value == 1.25
    assert not again.data.optics.isChecked()


def test_a_sharp_set_that_can_be_made_is_suggested(
    make_napari_viewer_proxy: Callable[..., Viewer],
) -> None:
    viewer = make_napari_viewer_proxy()
    viewer.add_image(np.zeros((9, 40, 40)), name="stack")
    widget = opened(viewer, "Train")
    assert widget.data.make_sharp == "microtubules"
    widget.data.optics.setChecked(True)
    assert widget.data.make_sharp == "richardson-lucy"
    choice = widget.data._make.native
    QTest.keyClick(choice, Qt.Key.Key_End)
    chosen = widget.data.make_sharp
    assert chosen == "nuclei"
    widget.data.optics.setChecked(False)
    assert widget.data.make_sharp == chosen


def test_name_place_and_processor_are_seen_before_start(
    widget: TrainWidget,
    click: Callable[[QPushButton], None],
    until: Callable[[Callable[[], bool]], None],
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not missing(widget, qtbot)
    words = widget.place.words.text().replace(HERE, "")
    assert str(Path("blurgan-models") / "blurred.blurgan") in words
    assert "trained on: CPU," in words
    monkeypatch.setattr(
        QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "mine")
    )
    QTest.keyClicks(widget.place.name, "Nucleus 3")
    widget.place._ask()
    expected = tmp_path / "mine" / "Nucleus-3.blurgan"
    assert str(expected) in widget.place.words.text().replace(HERE, "")
    click(widget.run.start_button)
    until(lambda: widget.plot.last_step > 1)
    click(widget.run.stop_button)
    until(lambda: idle(widget))
    assert _state.models.list() == [expected]


def test_remedies_are_things_in_the_window() -> None:
    for code in ("mismatched-sets", "kernel-held", "truncated-kernel"):
        words = remedy(Warned(0, code, "", "set forward.start, or blurgan psf", {}))
        assert "forward.start" not in words
        assert "blurgan" not in words
    other = Warned(0, "content", "", "Raise terms.saliency.weight.", {})
    assert "Advanced → Recipe changes" in remedy(other)


def test_settings_are_saved_and_loaded_as_a_recipe(
    widget: TrainWidget, small: str, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "mine.yaml"
    widget.recipes.save(path)
    recipe = Recipe.read(path)
    assert recipe == preset("blind").updated(changes_of(small))
    widget.advanced["changes"].value = ""
    assert widget.recipes.load(path)
    assert not missing(widget, qtbot)
    assert widget._request().recipe == recipe
    widget.form["preset"].value = "nonblind"
    assert widget._request().recipe == preset("nonblind")
    path.write_text("generator: [")
    assert not widget.recipes.load(path)
    assert "mine.yaml" in widget.messages.text()


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
