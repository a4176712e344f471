"""The rule of imports, and a core that needs neither Qt nor napari."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import napari_blurgan
from napari_blurgan.cli import COMMANDS
from scripts import rooms

PACKAGE = Path(napari_blurgan.__file__).parent

# From top to bottom; what stands on one line may not import each other.
LAYERS = (
    ("widgets", "cli"),
    ("tasks",),
    ("export", "training"),
    ("monitoring",),
    ("models",),
    ("optimisation",),
    ("objective",),
    ("forward", "sources"),
    ("heldout",),
    ("estimates", "transport"),
    ("classical", "content", "trust"),
    ("identification", "inverse", "preparation"),
    ("optics", "restoration"),
    ("reading", "sampling", "tiling"),
    ("data",),
    ("reconstructors", "system", "writing"),
    ("headers", "methods"),
    ("axes", "checks", "devices", "interruption", "measure", "networks"),
    ("errors", "memory", "provenance"),
)
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
Function = ast.FunctionDef | ast.AsyncFunctionDef
GUI = {"napari", "qtpy", "magicgui", "superqt", "pyqtgraph", "PyQt6", "PySide6"}


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str | None:
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return None if first.startswith("__") else first


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def ours(module: str) -> str | None:
    package, _, rest = module.partition(".")
    return rest.split(".")[0] or None if package == "napari_blurgan" else None


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_downwards(path: Path) -> None:
    room = room_of(path)
    if room is None:
        return
    wrong = {
        other
        for other in map(ours, imports_of(path))
        if other and other != room and RANK[other] <= RANK[room]
    }
    assert not wrong, f"{room} imports {wrong}"


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_widgets_know_of_windows(path: Path) -> None:
    if room_of(path) == "widgets":
        return
    assert not {name.split(".")[0] for name in imports_of(path)} & GUI


def test_no_modules_import_each_other() -> None:
    assert rooms.circles(rooms.imports(rooms.sources())) == []


def test_rooms_of_the_engine_are_small_and_flat() -> None:
    modules = rooms.sources()
    graph = rooms.imports(modules)
    found = rooms.rooms(modules)
    for door in ("widgets", "cli"):  # a file for each dock, and for each command
        del found[door]
    assert max(map(len, found.values())) <= 13
    assert max(max(rooms.floors(graph, room).values()) for room in found.values()) <= 6


def functions() -> Iterator[tuple[Path, Function]]:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, Function):
                yield path, node


def parameters(function: Function) -> int:
    """Count the parameters that a caller may give, but for self and **options."""
    given = function.args
    named = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len([name for name in named if name not in ("self", "cls")])


def test_files_are_short() -> None:
    lengths = {
        p.name: len(p.read_text(encoding="utf-8").split("\n")) for p in sources()
    }
    assert not {name: n for name, n in lengths.items() if n > 450}


def test_functions_are_short() -> None:
    lengths = sorted(node.end_lineno - node.lineno + 1 for _, node in functions())
    assert statistics.median(lengths) <= 8
    assert lengths[int(0.9 * len(lengths))] <= 25


def test_few_functions_have_many_parameters() -> None:
    many = [f"{path.name}:{f.name}" for path, f in functions() if parameters(f) > 8]
    assert len(many) <= 6, many


def test_no_module_asks_which_kind_a_part_is() -> None:
    """Kinds answer for themselves; only the module that defines one may name it."""
    asked = re.compile(
        r"(forward|source|reconstructor)\.kind\b|isinstance\([^)]*Kernel\b"
        r"|\.refines\b|generator\.guide\b"
    )
    renamed = "methods/migrations.py"  # reads recipes of earlier versions
    found = [
        f"{path.relative_to(PACKAGE)}: {line.strip()}"
        for path in sources()
        if path.relative_to(PACKAGE).as_posix() != renamed
        for line in path.read_text(encoding="utf-8").split("\n")
        if asked.search(line)
    ]
    assert found == []


# Each costs from 50 ms to seconds. benchmarks/speed/imports.py measures what remains.
HEAVY = GUI | {"torch", "scipy", "skimage", "pandas", "matplotlib", "zarr", "dask"}
HEAVY |= {"numpy", "tifffile", "pydantic", "yaml", "rich", "PIL", "psutil"}


def loaded_by(code: str) -> set[str]:
    """Return the packages that a fresh interpreter has loaded after some code."""
    script = f"{code}\nimport sys; print(*{{m.split('.')[0] for m in sys.modules}})"
    run = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    return set(run.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import napari_blurgan",
        "import napari_blurgan.cli as c; c.build_parser().format_help()",
        "import napari_blurgan.cli as c; c.main(['nonsense'])",
    ],
)
def test_importing_and_asking_for_help_load_nothing_heavy(code: str) -> None:
    assert not HEAVY & loaded_by(code)


@pytest.mark.parametrize("command", list(COMMANDS))
def test_the_help_of_a_command_needs_no_torch(command: str) -> None:
    code = f"from napari_blurgan.cli import build_parser; build_parser({command!r})"
    assert not {"torch", "scipy", "skimage", "matplotlib", "zarr"} & loaded_by(code)


def test_whoever_listens_to_events_needs_no_torch() -> None:
    modules = "napari_blurgan.monitoring.events, napari_blurgan.restoration.events"
    assert "torch" not in loaded_by(f"import {modules}")


def test_no_window_guesses_what_an_event_is() -> None:
    asked = [p.name for p in sources() if "hasattr(event" in p.read_text("utf-8")]
    assert asked == []


def test_the_core_works_where_qt_and_napari_are_absent() -> None:
    code = f"""
import importlib, pkgutil, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {sorted(GUI)!r}:
            raise ImportError(f'{{name}} is absent')
sys.meta_path.insert(0, Absent())
import napari_blurgan
for module in pkgutil.walk_packages(napari_blurgan.__path__, 'napari_blurgan.'):
    if not module.name.startswith('napari_blurgan.widgets'):
        importlib.import_module(module.name)
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
