"""What docs/architecture.md says of the code: the stops to read, the two diffs."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
STOPS = re.findall(r"^\d+\. `([\w.]+)` \(([\w/]+\.py)\)", PAGE, flags=re.M)
DIFFS = re.findall(
    r"`git diff --stat (\w+)\^ \1 -- src`:\n\n```\n(.*?)\n```", PAGE, flags=re.S
)
REGISTRIES = ("settings.py", "presets.py")


def defined(path: Path) -> set[str]:
    """Return the functions, classes and methods of a file by their dotted names."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            inner = (n.name for n in node.body if isinstance(n, ast.FunctionDef))
            names |= {f"{node.name}.{name}" for name in inner}
    return names


def test_the_way_of_an_image_has_at_most_twelve_stops() -> None:
    assert 8 <= len(STOPS) <= 12
    assert STOPS[0][0] == "read_stack"
    assert STOPS[-1][0] == "LiveLayers.show_psf"


@pytest.mark.parametrize(("name", "file"), STOPS)
def test_a_stop_is_where_the_docs_say(name: str, file: str) -> None:
    assert name in defined(ROOT / "src" / "napari_blurgan" / file)


def test_two_diffs_are_shown() -> None:
    assert [revision for revision, _ in DIFFS] == ["17d890a", "43552ba"]


@pytest.mark.parametrize(("revision", "shown"), DIFFS)
def test_a_new_kind_touched_registries_only(revision: str, shown: str) -> None:
    command = ["git", "diff", "--numstat", f"{revision}^", revision, "--", "src"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode:
        pytest.skip("a clone without the history")
    changes = [line.split("\t") for line in run.stdout.splitlines()]
    for added, removed, path in changes:
        assert re.search(rf" {re.escape(path)} +\| +{added} ", shown)
        assert removed == "0"
    assert shown.splitlines()[-1].startswith(f" {len(changes)} files changed")
    touched = [path for _, _, path in changes if not path.endswith(REGISTRIES)]
    assert len(touched) == 1, "the file of the new kind"
