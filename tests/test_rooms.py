"""The tables of rooms in the docs are what the script prints."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from scripts import rooms

ROOT = Path(__file__).parents[1]
SHOWN = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
REVISIONS = re.search(r"python scripts/rooms.py (\w+) (\w+)", SHOWN)
assert REVISIONS is not None


@pytest.mark.parametrize("revision", REVISIONS.groups())
def test_the_docs_show_what_the_script_prints(revision: str) -> None:
    known = subprocess.run(
        ["git", "cat-file", "-e", f"{revision}^{{commit}}"], cwd=ROOT, check=False
    )
    if known.returncode:
        pytest.skip("a clone without the history")
    assert rooms.table(revision) in SHOWN


def test_the_floor_of_a_module_is_above_what_it_imports() -> None:
    graph = {"a": {"b", "c"}, "b": {"c"}, "c": set(), "d": {"e"}, "e": {"d"}}
    assert rooms.floors(graph, set(graph)) == {"a": 3, "b": 2, "c": 1, "d": 1, "e": 1}
    assert rooms.circles(graph) == [{"d", "e"}]


def test_imports_for_types_and_in_functions_count() -> None:
    modules = {
        "napari_blurgan.a": "if TYPE_CHECKING:\n    from napari_blurgan.b import B",
        "napari_blurgan.b": "def f():\n    from napari_blurgan import a",
        "napari_blurgan": "",
    }
    graph = rooms.imports(modules)
    assert graph["napari_blurgan.a"] == {"napari_blurgan.b"}
    assert graph["napari_blurgan.b"] == {"napari_blurgan.a"}
