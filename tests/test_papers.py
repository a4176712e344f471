"""docs/papers.md names files, tests, presets and settings that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from napari_blurgan.cli import COMMANDS
from napari_blurgan.methods.presets import PRESETS, preset

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "papers.md").read_text(encoding="utf-8")
CODE = re.findall(r"`([^`]+)`", PAGE.replace("\n", " "))


@pytest.mark.parametrize("name", [c for c in CODE if re.fullmatch(r"[\w/]+\.py", c)])
def test_the_files_are_there(name: str) -> None:
    benchmarks = (ROOT / "benchmarks").glob("*/")
    places = (ROOT, ROOT / "src" / "napari_blurgan", *benchmarks)
    assert any((place / name).is_file() for place in places)


@pytest.mark.parametrize("name", [c for c in CODE if c.endswith("/")])
def test_the_folders_are_there(name: str) -> None:
    assert (ROOT / "src" / "napari_blurgan" / name).is_dir() or (ROOT / name).is_dir()


@pytest.mark.parametrize("name", [c for c in CODE if c.startswith("python ")])
def test_the_scripts_are_there(name: str) -> None:
    _, option, module = name.split()[:3]
    assert option == "-m"
    assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file()


@pytest.mark.parametrize("name", [c for c in CODE if c.startswith("blurgan ")])
def test_the_commands_are_there(name: str) -> None:
    _, command, *rest = name.split()
    assert command in COMMANDS
    assert command != "recipe" or rest[0] in PRESETS


@pytest.mark.parametrize("text", [c for c in CODE if "=" in c and "." in c])
def test_the_settings_are_accepted(text: str) -> None:
    pairs = (part.split("=", 1) for part in text.split() if "=" in part)
    changes = {name: yaml.safe_load(value) for name, value in pairs}
    needs = {"forward.parametrisation": "free"} if "forward.size" in changes else {}
    preset("nonblind").updated(changes | needs)


def test_every_row_that_is_done_says_how_it_is_shown() -> None:
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
    done = [r for r in rows if len(r) == 5 and r[2].strip("` ") and r[0] != "| item"]
    assert len(done) > 30
    for row in done:
        assert re.search(r"tests/|python |make |blurgan ", row[4]), row[0]
