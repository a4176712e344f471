"""α and β from the sample *Cells*: picked with the mouse, each by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot

from napari_blurgan.content.picking import Region, threshold_from_regions
from napari_blurgan.data.colour import ChannelMean
from napari_blurgan.widgets._docks import show_widget
from napari_blurgan.widgets._layers import to_stack
from napari_blurgan.widgets.threshold import ThresholdWidget
from tests.support.docks import opened
from tests.support.mouse import Mouse, choose

NAMES = {"A": "dim cells", "B": "stained cells"}
RADIUS = 1.0


class Bench:
    """The sample, Transform beside it, and what was picked of each domain."""

    def __init__(self, viewer: Viewer, qtbot: QtBot) -> None:
        self.viewer = viewer
        viewer.open_sample("napari-blurgan", "cells")
        viewer.window.resize(1600, 1000)
        self.transform = opened(viewer, "Transform")
        self.mouse = Mouse(viewer, qtbot)
        self.picked = {domain: ([], []) for domain in NAMES}
        self.places = {domain: self._extremes(domain) for domain in NAMES}
        for domain, name in NAMES.items():
            self.transform.domains[domain].untick()
            self.transform.domains[domain].tick(viewer.layers[name])

    def mean(self, domain: str) -> Any:
        stack = to_stack(self.viewer.layers[NAMES[domain]])
        return ChannelMean(stack)[0]

    def _extremes(self, domain: str) -> Any:
        """Return places of the first plane inside the margins, darkest first."""
        inner = self.mean(domain)[4:-4, 4:-4]
        order = np.argsort(inner, axis=None, kind="stable")
        found = np.stack(np.unravel_index(order, inner.shape), axis=1) + 4
        return [(0, int(y), int(x)) for y, x in found]

    @property
    def pickers(self) -> Any:
        docks = self.viewer.window.dock_widgets.values()
        return [dock for dock in docks if isinstance(dock, ThresholdWidget)]

    def open(self, domain: str, side: Any) -> Any:
        """Open the picker from Transform, or as the menus do."""
        if side == "transform":
            self.transform._pick(domain)
        else:
            if not self.pickers:
                choose(self.viewer, "Plugins", "BlurGAN", "Threshold")
            (picker,) = self.pickers
            picker.form["domain"].value = domain
            self.viewer.layers.selection.active = self.viewer.layers[NAMES[domain]]
        (picker,) = self.pickers
        picker.form["radius"].value = int(RADIUS)
        self.mouse.canvas.native.resize(900, 500)
        self.viewer.reset_view()
        self.viewer.dims.set_current_step(0, 0)
        self.mouse.settle()
        return picker

    def pick(self, picker: Any, domain: str, number: int) -> None:
        """Click on the number-th darkest and brightest places; A is dark around."""
        ranked = self.places[domain]
        dark, bright = ranked[37 * number], ranked[-1 - 37 * number]
        pair = (dark, bright) if domain == "A" else (bright, dark)
        layer = self.viewer.layers[NAMES[domain]]
        self.mouse.pick(picker, layer, [pair[0]], [pair[1]])
        for kind, place in zip(self.picked[domain], pair, strict=True):
            kind.append(Region(place[1:], RADIUS))

    def expected(self, domain: str) -> Any:
        return threshold_from_regions(self.mean(domain), *self.picked[domain])

    def asked(self, name: str) -> Any:
        return self.transform._asked_for().changes[f"terms.saliency.{name}"]


@pytest.fixture
def bench(make_napari_viewer: Callable[..., Viewer], qtbot: QtBot) -> Bench:
    return Bench(make_napari_viewer(), qtbot)


def check(bench: Any) -> None:
    for domain, name in (("A", "alpha"), ("B", "beta")):
        expected = bench.expected(domain)
        assert bench.asked(name) == expected.threshold
        bright = bench.asked(f"bright_background_{domain.lower()}")
        assert bright == expected.bright_background
    assert not bench.asked("bright_background_a")
    assert bench.asked("bright_background_b")


@pytest.mark.person
@pytest.mark.parametrize("side", ["transform", "menu"])
@pytest.mark.parametrize("order", ["AB", "BA"])
def test_each_threshold_is_that_of_its_picks(
    bench: Bench, order: str, side: str
) -> None:
    for domain in order:
        bench.pick(bench.open(domain, side), domain, 0)
    check(bench)
    first = order[0]
    bench.pick(bench.open(first, side), first, 1)
    check(bench)


def test_opening_the_picker_for_the_other_changes_nothing(bench: Bench) -> None:
    bench.pick(bench.open("A", "transform"), "A", 0)
    alpha = bench.transform._levels["A"]
    picker = bench.open("B", "transform")
    assert bench.transform._levels["B"].value is None
    assert picker.threshold is None
    assert "β is not known yet" in picker.side.text()
    assert bench.transform.form["beta"].value < -1e8  # shows "not picked yet"
    picker = bench.open("A", "transform")
    assert bench.transform._levels["A"] == alpha
    assert picker.threshold == alpha.value


def test_there_is_one_picker_from_wherever_it_is_opened(bench: Bench) -> None:
    first = bench.open("A", "menu")
    assert bench.open("B", "transform") is first
    show_widget(bench.viewer, "Threshold", ThresholdWidget)
    assert len(bench.pickers) == 1
    bench.viewer.window.remove_dock_widget(first)
    show_widget(bench.viewer, "Threshold", ThresholdWidget)
    choose(bench.viewer, "Plugins", "BlurGAN", "Threshold")  # hides it
    choose(bench.viewer, "Plugins", "BlurGAN", "Threshold")
    assert len(bench.pickers) == 1


def test_a_selected_layer_of_the_other_domain_is_picked_for_that(bench: Bench) -> None:
    picker = bench.open("A", "transform")
    bench.viewer.layers.selection.active = bench.viewer.layers[NAMES["B"]]
    assert picker.form["domain"].value == "B"
    bench.pick(picker, "B", 0)
    assert bench.transform._levels["A"].value is None
    assert bench.transform._levels["B"].value == bench.expected("B").threshold


def test_what_is_typed_in_transform_moves_the_outline(bench: Bench) -> None:
    picker = bench.open("A", "transform")
    bench.transform.form["alpha"].value = 90
    assert picker.threshold == 90
    mask = bench.viewer.layers["dim cells · content above"]
    np.testing.assert_array_equal(np.asarray(mask.data[0]), bench.mean("A") > 90)
    picker.slider.setValue(500)
    assert bench.transform._levels["A"].value == picker.threshold != 90


def test_picking_without_a_ticked_layer_says_so(bench: Bench) -> None:
    bench.transform.domains["A"].untick()
    bench.transform._pick("A")
    assert "Tick an image of A first" in bench.transform.messages.text()
