"""Evidence beside a result, in one click."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.utils.colormaps import ALL_COLORMAPS
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QPushButton, QWidget

from napari_blurgan import evidence
from napari_blurgan.widgets import _state
from napari_blurgan.widgets._controls import Phase
from napari_blurgan.widgets._evidence import ERROR, LEGENDS
from napari_blurgan.widgets._layers import to_stack
from tests.support.docks import finish, opened


@pytest.fixture
def widget(viewer: Viewer, model_folder: Path) -> Iterator[Any]:
    _state.models.add(model_folder)
    widget = opened(viewer, "Restore")
    widget.form["layer"].value = viewer.layers["blurred"]
    yield widget
    finish(widget)


@pytest.fixture
def press(widget: Any, qtbot: QtBot) -> Callable[[QPushButton], None]:
    def click(button: QPushButton) -> None:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: widget.run.phase is Phase.IDLE, timeout=60_000)
        assert not widget.messages.details, widget.messages.details

    return click


def test_one_click_shows_where_the_data_support_the_result(
    viewer: Viewer, widget: Any, press: Callable[[QPushButton], None]
) -> None:
    assert not widget.evidence_button.isEnabled()
    press(widget.run.start_button)
    assert not widget.evidence.isVisibleTo(widget)
    press(widget.evidence_button)
    source = viewer.layers["blurred"]
    shown, hidden = (
        viewer.layers[f"blurred · {name}"] for name in ("evidence", "misfit")
    )
    assert (shown.visible, hidden.visible) == (True, False)
    for layer in (shown, hidden):
        np.testing.assert_allclose(layer.extent.world, source.extent.world)
        assert layer.units == source.units
    assert shown.contrast_limits == [0, 1]
    model = widget.form["model"].value
    restored = to_stack(viewer.layers["blurred · restored"])
    found = evidence(to_stack(source), restored, model=model)
    maps = np.asarray(found.maps)
    np.testing.assert_allclose(shown.data, maps[0], atol=1e-5)
    np.testing.assert_allclose(hidden.data, maps[1], rtol=1e-3, atol=1e-3)
    error = viewer.layers["blurred · expected error"]
    np.testing.assert_allclose(error.data, maps[3], rtol=1e-3, atol=1e-2)
    assert not error.visible
    low, high = error.contrast_limits
    assert low == 0
    assert high == pytest.approx(said_end(widget.evidence), rel=0.01)
    assert "Expected error (grey levels)" in said(widget.evidence)
    assert widget.evidence.isVisibleTo(widget)
    assert f"{found.report.unsupported:.1%}" in widget.evidence.text()

    press(widget.run.start_button)  # another result: the figures are not of it
    assert not widget.evidence.isVisibleTo(widget)


def said_end(panel: QWidget) -> float:
    """Return the number at the right end of the bar of the expected error."""
    words = [label.text() for label in panel.findChildren(QLabel)]
    end = words[words.index("Expected error (grey levels)") + 2]
    assert "e" not in end
    return float(end)


def said(panel: QWidget) -> set[str]:
    """Return all that is to be read beside the bars of colours."""
    return {label.text() for label in panel.findChildren(QLabel)}


def test_one_time_point_and_a_result_in_a_file(
    viewer: Viewer, widget: Any, press: Callable[[QPushButton], None], tmp_path: Path
) -> None:
    pixels = viewer.layers["blurred"].data
    film = viewer.add_image(
        np.stack([pixels, 2 * pixels]),
        name="film",
        scale=(1, 0.3, 0.1, 0.1),
        units=("s", "um", "um", "um"),
        axis_labels=("t", "z", "y", "x"),
    )
    widget.form["layer"].value = film
    widget.form["time"].value = 1
    widget.form["out"].value = str(tmp_path / "one.ome.tif")
    press(widget.run.start_button)
    press(widget.evidence_button)
    assert viewer.layers["film · evidence"].data.shape == pixels.shape
    press(widget.evidence_button)
    names = {path.name for path in tmp_path.glob("*.ome.tif")}
    assert names == {
        "one.ome.tif",
        "one-evidence.ome.tif",
        "one-evidence-2.ome.tif",
    }


def test_of_several_channels_one_is_asked_for(
    viewer: Viewer, widget: Any, press: Callable[[QPushButton], None]
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
    press(widget.run.start_button)
    press(widget.evidence_button)
    assert "choose one" in widget.messages.text()
    widget.form["channel"].value = 1
    press(widget.run.start_button)
    press(widget.evidence_button)
    assert viewer.layers["both · evidence"].data.shape == pixels.shape


def test_the_colours_mean_what_the_legend_says() -> None:
    doubt, misfit = (LEGENDS[name].colormap() for name in ("evidence", "misfit"))
    covered, clear = doubt.map(np.array([0.0, 1.0]))
    assert covered[3] == 1
    assert clear[3] == 0
    invented, nothing, lost = misfit.map(np.array([0.0, 0.5, 1.0]))
    assert invented[0] > invented[2]  # orange
    assert lost[2] > lost[0]  # blue
    assert nothing[3] == 0


def test_the_expected_error_is_brighter_in_grey_the_larger_it_is() -> None:
    colours = LEGENDS[ERROR].colormap().map(np.linspace(0, 1, 9))
    grey = colours[:, :3] @ (0.299, 0.587, 0.114)
    assert (np.diff(grey) > 0).all()


def test_colours_have_names_no_longer_than_those_of_napari() -> None:
    longest = max(map(len, ALL_COLORMAPS))
    assert all(len(legend.colormap().name) <= longest for legend in LEGENDS.values())
