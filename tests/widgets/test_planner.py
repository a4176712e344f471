"""What a run would take, or why it cannot start, is that of the form as it is."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QWidget

from napari_blurgan.errors import DataError
from napari_blurgan.widgets._planner import Planner


class Form(QWidget):
    """A form of one field, whose estimate takes as long as the test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = ""
        self.running = False
        self.begun, self.go = Event(), Event()
        self.planner = Planner(self, self.ask, str, lambda: self.running)
        self.said: list[str] = []
        say = self.planner.say
        self.planner.say = lambda words: (self.said.append(words), say(words))[1]  # type: ignore[method-assign]

    def ask(self) -> Callable[[Any], str]:
        layer = self.layer
        if not layer:
            raise DataError("choose a layer")

        def estimate(report: Any) -> str:
            self.begun.set()
            assert self.go.wait(60)
            return f"1 tile of {layer}"

        return estimate

    def choose(self, layer: str) -> None:
        self.layer = layer
        self.planner.soon()


@pytest.fixture
def form(qtbot: QtBot) -> Form:
    form = Form()
    qtbot.addWidget(form)
    return form


def test_what_is_missing_is_said(form: Form, qtbot: QtBot) -> None:
    form.choose("")
    qtbot.waitUntil(lambda: bool(form.planner.label.text()))
    assert form.planner.label.text() == "Not ready yet: choose a layer"
    assert not form.planner.label.isHidden()


def test_an_estimate_of_an_earlier_form_is_never_shown(
    form: Form, qtbot: QtBot
) -> None:
    form.choose("the first")
    qtbot.waitUntil(form.begun.is_set)
    form.choose("the second")
    form.go.set()
    qtbot.waitUntil(lambda: bool(form.planner.label.text()))
    assert form.said == ["", "", "1 tile of the second"]


def test_a_run_is_not_disturbed(form: Form, qtbot: QtBot) -> None:
    form.go.set()
    form.running = True
    form.choose("the first")
    qtbot.wait(1000)
    assert not form.begun.is_set()
    form.running = False
    qtbot.waitUntil(lambda: form.planner.label.text() == "1 tile of the first")
