"""The loss curves: what is stored, drawn, thinned and said."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from napari_blurgan.methods.terms import TERMS
from napari_blurgan.widgets import _loss_names, _plots
from napari_blurgan.widgets._controls import Phase, RunControl
from napari_blurgan.widgets._loss_names import look


@pytest.fixture
def plot(qtbot: QtBot) -> Any:
    pytest.importorskip("pyqtgraph")
    widget = _plots.LossPlot()
    qtbot.addWidget(widget)
    return widget


def curve(plot: Any, name: str) -> Any:
    (item,) = [c for c in plot._curves.widget.listDataItems() if c.name() == name]
    return item.getOriginalDataset()


def test_curves_are_drawn_when_asked(plot: Any) -> None:
    for step in range(1, 11):
        plot.add(step, {"cycle": 1 / step, "gan": 0.5})
    assert plot._curves.widget.listDataItems() == []
    plot.draw()
    steps, values = curve(plot, "cycle")
    np.testing.assert_allclose(steps, range(1, 11))
    np.testing.assert_allclose(values, 1 / np.arange(1, 11))
    assert "cycle 0.1" in plot.text()


def test_the_axis_is_logarithmic_and_zero_is_left_out(plot: Any) -> None:
    for step, value in enumerate((1.0, 0.0, 100.0)):
        plot.add(step, {"loss": value})
    plot.draw()
    (item,) = plot._curves.widget.listDataItems()
    np.testing.assert_allclose(item.getData()[1], [0, 2])


def test_a_training_that_goes_back_is_drawn_from_there(plot: Any) -> None:
    for step in (1, 2, 3, 4):
        plot.add(step, {"loss": 1.0})
    for step in (3, 4, 5):
        plot.add(step, {"loss": 2.0})
    plot.draw()
    steps, values = curve(plot, "loss")
    np.testing.assert_allclose(steps, [1, 2, 3, 4, 5])
    np.testing.assert_allclose(values, [1, 1, 2, 2, 2])
    plot.add(1, {"loss": 3.0})  # a dead start: all over again
    assert plot.values_at(9) == (1, {"loss": 3.0})


def test_a_long_history_is_drawn_with_few_points(plot: Any) -> None:
    for step in range(10_000):
        plot.add(step, {"loss": 2.0})
    plot.draw()
    steps, values = curve(plot, "loss")
    assert len(steps) <= _plots.POINTS
    np.testing.assert_allclose(values, 2.0)


def test_hovering_tells_the_nearest_step(plot: Any) -> None:
    for step in (10, 20, 30):
        plot.add(step, {"loss": step / 10})
    plot.draw()
    plot._curves.hovered(19.0)
    assert plot.text() == "Step 20: ⬤ loss 2"


def test_clear_forgets(plot: Any) -> None:
    plot.add(1, {"loss": 1.0})
    plot.draw()
    assert plot._curves.widget.isVisibleTo(plot)
    plot.clear()
    assert plot._curves.widget.listDataItems() == []
    assert not plot._curves.widget.isVisibleTo(plot)  # empty axes say nothing
    assert plot.values_at(1) == (0, {})


def test_without_pyqtgraph_the_losses_are_reported_in_words(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "pyqtgraph":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    plot = _plots.LossPlot()
    qtbot.addWidget(plot)
    plot.add(7, {"cycle": 0.25})
    plot.draw()
    assert plot.text() == "Step 7: ⬤ cycle 0.25"


def colour(plot: Any, name: str) -> Any:
    (item,) = [c for c in plot._curves.widget.listDataItems() if c.name() == name]
    return item.opts["pen"].color().name(), item.opts["pen"].style()


def test_a_loss_looks_the_same_in_every_run(plot: Any) -> None:
    plot.add(1, {"cycle_y": 1.0, "adversarial_x": 1.0})
    plot.draw()
    first = {name: colour(plot, name) for name in ("cycle_y", "adversarial_x")}
    plot.clear()
    plot.add(1, {"spectral": 1.0, "adversarial_x": 1.0, "cycle_y": 1.0})
    plot.draw()
    assert {name: colour(plot, name) for name in first} == first


def test_no_two_losses_of_a_recipe_look_alike() -> None:
    names = [*TERMS, "discriminator_x", "discriminator_y", "slope_x", "slope_y"]
    assert len({look(name) for name in names}) == len(names)


def test_every_loss_is_explained(plot: Any) -> None:
    names = [*TERMS, "discriminator_x", "discriminator_y", "slope_x", "slope_y"]
    plot.add(1, dict.fromkeys(names, 1.0))
    plot.draw()
    explained = [line.split(":")[0] for line in plot.toolTip().splitlines()]
    assert explained == names


@pytest.mark.parametrize(("low", "high"), [(-6, 2), (-1.2, 0.9), (0.1, 0.6), (-3, -2)])
def test_labels_of_the_axis_keep_apart(plot: Any, low: float, high: float) -> None:
    ticks = np.array(_loss_names.log_ticks(low, high, 5))
    assert 1 <= len(ticks) <= 6
    assert (np.diff(ticks) >= 0.3).all()
    assert ((ticks >= low) & (ticks <= high)).all()


def test_a_pause_is_seen(qtbot: QtBot) -> None:
    control = RunControl("training", can_pause=True)
    qtbot.addWidget(control)
    control.phase = Phase.RUNNING
    assert not control._bar.isTextVisible()
    control.phase = Phase.PAUSED
    assert control._bar.isTextVisible()
    assert control._bar.format() == "Paused"
    assert control._bar.maximum() > 0
    control.phase = Phase.RUNNING
    assert not control._bar.isTextVisible()
