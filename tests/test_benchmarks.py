"""Every table of figures in the documents has a command, and the commands are there."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
SCRIPTS = sorted((ROOT / "benchmarks").glob("[!_h]*/[!_]*.py"))
README = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
COMMAND = re.compile(
    r"python (?:-m (?:benchmarks|tests)\.|scripts/)[^`#]*?(?=\s*(?:`|#|-->|\n\n|$))"
)
NUMBER = re.compile(r"\**[−+±<>≤–-]?\s?\d")
FIGURES = 0.35
"""The share of numbers among the cells of a table that is one of figures."""


def sections(text: str) -> list[str]:
    """Return what stands between headings."""
    return re.split(r"^#+ ", text, flags=re.MULTILINE)


def tables(section: str) -> list[list[str]]:
    """Return the lines of each table, without its head."""
    found = re.findall(r"(?:^\|.*\n)+", section, flags=re.MULTILINE)
    return [table.splitlines()[2:] for table in found]


def holds_figures(rows: list[str]) -> bool:
    cells = [cell.strip() for row in rows for cell in row.strip("|").split("|")[1:]]
    return sum(bool(NUMBER.match(cell)) for cell in cells) > FIGURES * len(cells)


def commands(text: str) -> list[str]:
    """Return the commands of a text, lines of prose joined, lines of code apart."""
    blocks = re.findall(r"^```.*?^```", text, flags=re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = [
        line.replace("\\\n", " ") for block in blocks for line in block.split("\n")
    ]
    joined = [part.replace("\n", " ") for part in prose.split("\n\n")]
    return [c.strip() for part in (*lines, *joined) for c in COMMAND.findall(part)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_table_of_figures_has_a_command(page: Path) -> None:
    without = [
        rows[0]
        for section in sections(page.read_text(encoding="utf-8"))
        for rows in tables(section)
        if holds_figures(rows) and not commands(section)
    ]
    assert not without, "name the command in the section of the table, or under it"


def options(path: Path) -> set[str]:
    """Return the options of a script, by its calls of add_argument."""
    calls = [
        n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)
    ]
    words = [a.value for c in calls for a in c.args if isinstance(a, ast.Constant)]
    return {word for word in words if isinstance(word, str) and word.startswith("--")}


def documents() -> list[Path]:
    return [*PAGES, ROOT / "README.md", ROOT / "benchmarks" / "README.md"]


def written() -> list[str]:
    """Return all commands of the documents and of the Makefile."""
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    made = re.findall(r"python (-m benchmarks[^\n]*)", makefile)
    found = [c for page in documents() for c in commands(page.read_text("utf-8"))]
    return sorted({*found, *(f"python {command}" for command in made)})


@pytest.mark.parametrize("command", written())
def test_a_command_is_there_and_takes_its_options(command: str) -> None:
    words = shlex.split(re.sub(r"[\[\]…$()]", " ", command))
    module = words[2].replace(".", "/") if words[1] == "-m" else words[1]
    path = (ROOT / module).with_suffix(".py")
    assert path.is_file()
    given = {word.split("=")[0] for word in words[2:] if word.startswith("--")}
    assert given <= options(path)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_table_of_benchmarks_holds_every_script(script: Path) -> None:
    module = ".".join(script.relative_to(ROOT).with_suffix("").parts)
    assert f"`python -m {module}" in README


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_benchmark_can_be_imported(script: Path) -> None:
    module = ".".join(script.relative_to(ROOT).with_suffix("").parts)
    assert callable(importlib.import_module(module).main)
