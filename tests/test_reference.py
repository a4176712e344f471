"""The pages that are written from the program are up to date."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import napari_blurgan
from scripts import reference

DOCS = Path(__file__).parents[1] / "docs"


def test_the_page_of_recipes_is_what_the_program_says() -> None:
    page = (DOCS / "recipes.md").read_text(encoding="utf-8")
    assert page == reference.recipes(), "python scripts/reference.py"


def test_every_field_of_a_recipe_has_a_meaning() -> None:
    assert "|  |\n" not in reference.recipes()


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="argparse words it anew")
def test_the_page_of_commands_is_what_the_program_says() -> None:
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert page == reference.commands(), "python scripts/reference.py"


def test_the_page_of_python_is_what_the_program_says() -> None:
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    assert page == reference.api(), "python scripts/reference.py"
    names = {name for name in napari_blurgan.__all__ if name != "__version__"}
    assert set(re.findall(r"^## (\w+)$", page, re.M)) == names
    assert "[In Python](python.md)" in page
