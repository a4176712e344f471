"""Many answers of a model that draws from a distribution, in the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

from napari_blurgan import Stack, preset, restore, train
from napari_blurgan.tasks.restore_request import RestoreRequest
from napari_blurgan.widgets import _state
from napari_blurgan.widgets._controls import Phase
from napari_blurgan.widgets._draws import draws_layers
from napari_blurgan.widgets._layers import to_stack
from tests.support.docks import finish, opened

FEW = 4


@pytest.fixture(scope="module")
def drawing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model that draws from a distribution, hardly trained."""
    rng = np.random.default_rng(0)
    noisy = Stack(rng.poisson(30, (4, 32, 32)).astype(np.float32), "TYX", name="n")
    changes = {
        "steps": 2,
        "precision": "float32",
        "reconstructor.base": 4,
        "sampling.patch": 16,
    }
    out = tmp_path_factory.mktemp("draws") / "many.blurgan"
    train(preset("divnoising").updated(changes), noisy, out=out, device="cpu")
    return out


@pytest.fixture
def widget(viewer: Viewer, drawing: Path, model_folder: Path) -> Iterator[Any]:
    for folder in (drawing, model_folder):
        _state.models.add(folder)
    widget = opened(viewer, "Restore")
    widget.form["layer"].value = viewer.layers["blurred"]
    widget.form["model"].value = drawing
    yield widget
    finish(widget)


@pytest.fixture
def press(widget: Any, qtbot: QtBot) -> Callable[[QPushButton], None]:
    def click(button: QPushButton) -> None:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: widget.run.phase is Phase.IDLE, timeout=60_000)
        assert not widget.messages.details, widget.messages.details

    return click


def tick(widget: Any, qtbot: QtBot, *outputs: str) -> None:
    """Ask for outputs with the keyboard, and for few draws."""
    widget.draws.setChecked(True)
    fields = widget.draws.fields
    box = fields["draws"].native
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, str(FEW))
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert fields["draws"].value == FEW
    for name in ("mean", "sd", "mode", "samples"):
        if fields[name].value != (name in outputs):
            qtbot.keyClick(fields[name].native, Qt.Key.Key_Space)


def test_only_a_distribution_is_asked_for_many_answers(
    widget: Any, drawing: Path, model_folder: Path
) -> None:
    assert not widget.draws.isHidden()
    widget.draws.setChecked(True)
    widget.form["model"].value = model_folder
    assert widget.draws.isHidden()
    assert widget.draws.chosen() == {}
    widget.form["model"].value = drawing
    assert not widget.draws.isHidden()


def test_every_output_is_a_layer_on_its_source(
    viewer: Viewer,
    widget: Any,
    drawing: Path,
    press: Callable[[QPushButton], None],
    qtbot: QtBot,
) -> None:
    tick(widget, qtbot, "mean", "sd", "mode", "samples")
    press(widget.run.start_button)
    source = viewer.layers["blurred"]
    outputs = ("mean", "sd", "mode", "samples")
    expected = np.asarray(
        restore(drawing, to_stack(source), samples=FEW, outputs=outputs)
    )
    for number, name in enumerate(("mean", "sd", "mode")):
        layer = viewer.layers[f"blurred · {name}"]
        np.testing.assert_allclose(layer.data, expected[number], rtol=1e-5)
        np.testing.assert_allclose(layer.extent.world, source.extent.world)
    every = viewer.layers["blurred · samples"]
    np.testing.assert_allclose(every.data, expected[3:], rtol=1e-5)
    assert every.axis_labels[0] == "sample"
    assert every.units[1:] == source.units
    np.testing.assert_allclose(every.extent.world[:, 1:], source.extent.world)
    assert not every.visible
    assert viewer.layers["blurred · sd"].colormap.name == "viridis"


def test_evidence_is_of_the_mean(
    viewer: Viewer, widget: Any, press: Callable[[QPushButton], None], qtbot: QtBot
) -> None:
    tick(widget, qtbot, "mean", "sd")
    press(widget.run.start_button)
    press(widget.evidence_button)
    assert viewer.layers["blurred · evidence"].data.shape == (
        viewer.layers["blurred"].data.shape
    )
    tick(widget, qtbot, "sd")
    press(widget.run.start_button)
    press(widget.evidence_button)
    assert "restore with the mean" in widget.messages.text()


def test_nothing_to_show_is_said_before_any_work(
    widget: Any, press: Callable[[QPushButton], None], qtbot: QtBot
) -> None:
    tick(widget, qtbot)
    press(widget.run.start_button)
    assert "tick what to show" in widget.messages.text()


def test_one_of_several_channels_is_asked_for(
    viewer: Viewer, widget: Any, press: Callable[[QPushButton], None], qtbot: QtBot
) -> None:
    pixels = viewer.layers["blurred"].data
    both = viewer.add_image(
        np.stack([pixels, 2 * pixels]),
        name="both",
        scale=(1, 0.3, 0.1, 0.1),
        units=("pixel", "um", "um", "um"),
        axis_labels=("c", "z", "y", "x"),
    )
    widget.form["layer"].value = both
    tick(widget, qtbot, "mean")
    press(widget.run.start_button)
    assert "choose one" in widget.messages.text()
    widget.form["channel"].value = 1
    press(widget.run.start_button)
    assert viewer.layers["both · mean"].data.shape == pixels.shape


def test_a_preview_is_one_image(
    viewer: Viewer, widget: Any, press: Callable[[QPushButton], None], qtbot: QtBot
) -> None:
    tick(widget, qtbot, "mean", "samples")
    press(widget.preview_button)
    assert viewer.layers["blurred · preview"].ndim == viewer.layers["blurred"].ndim


def test_the_time_is_that_of_all_draws(drawing: Path) -> None:
    stack = Stack(np.full((2, 64, 64), 30, np.float32), "ZYX", name="n")
    stack.data[0, 0, 0] = 60
    some = RestoreRequest(drawing, stack, samples=20, outputs=("mean",))
    more = RestoreRequest(drawing, stack, samples=10_000, outputs=("mean",))
    (_, short), (_, long) = (r.plan(lambda event: None) for r in (some, more))
    assert long > 20 * short


def test_a_turned_source() -> None:
    turned = Image(
        np.zeros((4, 8, 8)), scale=(2, 1, 1), rotate=(0, 0, 30), shear=(0.1, 0.2, 0.3)
    )
    stack = Stack(np.zeros((3, 4, 8, 8), np.float32), "CZYX", name="n")
    made = draws_layers(turned, stack, ("samples",), "ZYX")
    ((pixels, attributes, _),) = made
    every = Image(pixels, **attributes)
    np.testing.assert_allclose(
        every.extent.world[:, 1:], turned.extent.world, atol=1e-9
    )
