"""The notebooks run from the first cell to the last, with small images."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

from napari_blurgan import preset

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
RECIPE = preset("self-supervised").updated(
    {
        "reconstructor.base": 2,
        "reconstructor.levels": 2,
        "reconstructor.iterations": 2,
        "sampling.patch": 16,
        "precision": "float32",
    }
)
SMALL = {"recipe": RECIPE, "shape": (16, 48, 48), "steps": 2, "iterations": 3}


def cells(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == "code"]


def test_there_are_two() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["deconvolve", "train"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plt.switch_backend("agg")
    names: dict[str, Any] = {}
    for cell in cells(path):
        code = "".join(cell["source"])
        exec(compile(code, f"{path.name} {cell['id']}", "exec"), names)
        if "parameters" in cell["metadata"].get("tags", ()):
            names |= {name: SMALL[name] for name in names if name in SMALL}
    assert len(plt.gcf().axes) == 3
    plt.close("all")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_its_results(path: Path) -> None:
    for cell in cells(path):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
        ast.parse("".join(cell["source"]))
