"""scripts/golden.py notices changes that nobody declared, and declared ones undone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts import golden

DECLARED = {"c1": golden.Change(("blind",), "wider steps")}


def figures(last: float, restored: str = "ab", steps: int = 3) -> dict[str, Any]:
    losses = [{"l1": (1 / n).hex()} for n in range(1, steps)]
    return {"losses": [*losses, {"l1": last.hex()}], "restored": restored}


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (figures(0.25), None),
        (figures(0.25 + 2**-54), "losses differ from step 3 on"),
        (figures(0.25, "cd"), "the restored stack differs"),
        (figures(0.25, steps=2), "losses differ from step 2 on"),
        ({"losses": [], "restored": "ab"}, "another number of steps"),
    ],
)
def test_the_last_bit_counts(new: dict[str, Any], said: str | None) -> None:
    assert golden.difference(figures(0.25), new) == said


@pytest.mark.parametrize(
    ("before", "after", "now", "wrong"),
    [
        (0.25, 0.5, 0.5, 0),
        (0.25, 0.5, 0.75, 1),  # nobody declared the second change
        (0.25, 0.25, 0.25, 1),  # the declared one changes nothing
    ],
)
def test_a_change_is_declared_or_it_is_wrong(
    before: float, after: float, now: float, wrong: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"d3e4f9f": before, "c1^": before, "c1": after, "now": now}
    monkeypatch.setattr(golden, "DELIBERATE", DECLARED)
    monkeypatch.setattr(
        golden, "_figures_at", lambda at, _: {"blind": figures(found[at])}
    )
    assert golden.history(["blind"]) == wrong


def test_the_old_model_restores_and_trains_on(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    words = [sys.executable, golden.__file__, "--write", str(out)]
    subprocess.run([*words, "--presets", "old-model"], check=True, capture_output=True)
    found = json.loads(out.read_text())["old-model"]
    assert len(found["losses"]) == 3  # steps 7 to 9
    assert len(found["restored"]) == 64
