"""Off a terminal, progress is a plain line now and then."""

from __future__ import annotations

import time

import pytest

from napari_blurgan.cli import _common


def test_a_line_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_common, "EVERY", 0.05)
    said = ""
    with _common.progress_bar() as progress:
        task = progress.add_task("training", total=None, left="?")
        progress.update(task, completed=3, total=10, left="0:21")
        until = time.monotonic() + 30
        while "training" not in said and time.monotonic() < until:
            time.sleep(0.02)
            said += capsys.readouterr().err
    lines = said.splitlines()
    assert "training: 3 of 10, 0:00 so far, left 0:21" in lines
    assert not any("━" in line for line in lines)
