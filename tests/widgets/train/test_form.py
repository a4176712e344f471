"""What the form of Train offers, remembers, and says before Start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_blurgan.estimates.judge import Judgement
from napari_blurgan.methods.presets import preset
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.monitoring.events import Judged, Warned
from napari_blurgan.widgets import _state
from napari_blurgan.widgets._fields import changes_of
from napari_blurgan.widgets._layers import METADATA_KEY
from napari_blurgan.widgets._remedies import remedy
from napari_blurgan.widgets._words import HERE
from napari_blurgan.widgets.train import Run, TrainWidget
from tests.support.docks import idle, missing, opened


def test_what_is_missing_is_said_before_anything_starts(
    widget: TrainWidget, click: Callable[[QPushButton], None]
) -> None:
    widget.data.sharp.clear()
    click(widget.run.start_button)
    assert "sharp image" in widget.messages.text()
    assert idle(widget)


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
    assert "Trains on: CPU," in words
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


@pytest.mark.parametrize("given", [True, False])
def test_remedies_are_things_in_the_window(given: bool) -> None:
    for code in ("mismatched-sets", "kernel-held", "truncated-kernel"):
        event = Warned(0, code, "", "set forward.start, or blurgan psf", {})
        words = remedy(event, given)
        assert "forward.start" not in words
        assert "blurgan" not in words
    other = Warned(0, "content", "", "Raise terms.saliency.weight.", {})
    assert "Advanced → Recipe changes" in remedy(other, given)


@pytest.mark.parametrize(
    "code", ["mismatched-sets", "kernel-held", "psf-does-not-explain"]
)
def test_no_remedy_that_is_already_taken(code: str) -> None:
    event = Warned(0, code, "", "", {})
    assert "tick 'Optics known'" in remedy(event, optics_given=False)
    assert "tick" not in remedy(event, optics_given=True)
    assert "Check NA" not in remedy(event, optics_given=False)


def test_optics_and_a_known_psf_are_given(widget: TrainWidget) -> None:
    assert not widget._optics_given()
    widget.data.update_values({"make": "microtubules", "optics": {"known": True}})
    widget.data.blurred.tick(widget._viewer.layers["blurred"])
    request = widget._request()
    for known, given in ((request.optics, True), (None, False)):
        asked = replace(request, optics=known)
        widget._run = Run(asked, widget._live_layers(), lambda: Path())
        assert widget._optics_given() == given


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
