"""The rooms of the house: modules, floors and circles of imports, as a table.

    python scripts/rooms.py                   of this tree
    python scripts/rooms.py REV [REV ...]     of revisions, one table each
    python scripts/rooms.py --modules ROOM    the floor of every module of a room

A room is a package, without the packages in it. A module stands one floor above the
highest module of its room that it imports; modules that import each other share one.
Imports are those of the whole source: in functions and under TYPE_CHECKING, too.
"""

from __future__ import annotations

import argparse
import ast
import io
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

PACKAGE = "napari_blurgan"
ROOT = Path(__file__).parents[1]
HEADER = ("room", "modules", "floors", "circles")

Graph = dict[str, set[str]]


def sources(revision: str | None = None) -> dict[str, str]:
    """Return the text of every module by its dotted name."""
    found = {}
    for path, text in _files(revision):
        parts = list(path.with_suffix("").parts[1:])
        if parts[-1] == "__init__":
            parts.pop()
        found[".".join(parts)] = text
    return found


def _files(revision: str | None) -> Iterator[tuple[Path, str]]:
    if revision is None:
        for path in sorted((ROOT / "src").rglob("*.py")):
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")
        return
    command = ["git", "archive", revision, "src"]
    packed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            if member.name.endswith(".py"):
                opened = archive.extractfile(member)
                assert opened is not None
                yield Path(member.name), opened.read().decode()


def imports(modules: Mapping[str, str]) -> Graph:
    """Return which modules of the package each one imports."""
    return {
        name: {found for found in _imported(text, modules) if found != name}
        for name, text in modules.items()
    }


def _imported(text: str, modules: Mapping[str, str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif (
            isinstance(node, ast.ImportFrom) and node.module and node.module in modules
        ):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules else str(node.module)


def circles(graph: Graph) -> list[set[str]]:
    """Return the sets of modules that import each other, on whatever way."""
    reached = {name: _reached(name, graph) for name in graph}
    found: list[set[str]] = []
    for name in sorted(graph):
        circle = {other for other in reached[name] if name in reached[other]}
        if name in circle and circle not in found:
            found.append(circle)
    return found


def _reached(name: str, graph: Graph) -> set[str]:
    seen: set[str] = set()
    ahead = list(graph[name])
    while ahead:
        module = ahead.pop()
        if module not in seen:
            seen.add(module)
            ahead += graph[module]
    return seen


def room_of(module: str, packages: set[str]) -> str:
    """Return the package that a module is in; the top one is called by its name."""
    home = module if module in packages else module.rpartition(".")[0]
    return home.removeprefix(PACKAGE).lstrip(".") or PACKAGE


def floors(graph: Graph, members: set[str]) -> dict[str, int]:
    """Return the floor of every module among the members, counted from 1."""
    inside = {name: graph[name] & members for name in members}
    joined = {name: name for name in members}
    for circle in circles(inside):
        joined |= dict.fromkeys(circle, min(circle))
    below: Graph = {name: set() for name in joined.values()}
    for name, others in inside.items():
        below[joined[name]] |= {joined[other] for other in others} - {joined[name]}
    known: dict[str, int] = {}

    def floor(name: str) -> int:
        if name not in known:
            known[name] = 1 + max(map(floor, below[name]), default=0)
        return known[name]

    return {name: floor(joined[name]) for name in members}


def rooms(modules: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the modules of every room; what only names a room is no module."""
    packages = {name.rpartition(".")[0] for name in modules} | {PACKAGE}
    found: dict[str, set[str]] = {}
    for name, text in modules.items():
        if name in packages and not _has_code(text):
            continue
        found.setdefault(room_of(name, packages), set()).add(name)
    return found


def _has_code(text: str) -> bool:
    return any(not isinstance(node, ast.Expr) for node in ast.parse(text).body)


def table(revision: str | None = None) -> str:
    """Return the table of rooms in Markdown."""
    modules = sources(revision)
    graph = imports(modules)
    found = circles(graph)
    rows = []
    for room, members in sorted(rooms(modules).items()):
        shared = sum(1 for circle in found if circle & members)
        rows.append((room, len(members), max(floors(graph, members).values()), shared))
    rows.append(
        ("all", sum(row[1] for row in rows), max(row[2] for row in rows), len(found))
    )
    lines = [HEADER, ("---", *["---:"] * 3), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def listing(room: str) -> str:
    """Return the modules of a room with their floors, the top one first."""
    modules = sources()
    graph = imports(modules)
    found = floors(graph, rooms(modules)[room])
    order = sorted(found, key=lambda name: (-found[name], name))
    return "\n".join(f"{found[name]:3} {name}" for name in order)


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("revisions", nargs="*", metavar="REV")
    parser.add_argument("--modules", metavar="ROOM")
    options = parser.parse_args()
    if options.modules:
        print(listing(options.modules))
        return
    for revision in options.revisions or [None]:
        print(f"{revision or 'this tree'}\n\n{table(revision)}\n")
    if not options.revisions:
        for circle in circles(imports(sources())):
            print("circle:", *sorted(circle))


if __name__ == "__main__":
    main()
