"""Write docs/commands.md, docs/recipes.md and docs/api.md from the program itself.

`--check` only says whether they are as they would be written.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import os
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

import napari_blurgan
from napari_blurgan.cli import COMMANDS, GROUPS, build_parser
from napari_blurgan.methods.forwards import FORWARDS
from napari_blurgan.methods.parts import Section
from napari_blurgan.methods.presets import PRESETS
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.methods.reconstructors import RECONSTRUCTORS
from napari_blurgan.methods.sources import SOURCES
from napari_blurgan.methods.terms import TERMS

DOCS = Path(__file__).parents[1] / "docs"
NOTE = (
    "<!-- written by python scripts/reference.py: change the program, not this page -->"
)
PARTS = {
    "source": SOURCES,
    "forward": FORWARDS,
    "reconstructor": RECONSTRUCTORS,
    "terms": TERMS,
}


def commands() -> str:
    """Return the page of all commands, with the help of each."""
    os.environ["COLUMNS"] = "88"
    parts = ["# Command line", NOTE, OVERVIEW]
    for title, group in GROUPS.items():
        parts.append(f"## {title.capitalize()}")
        for name in group:
            parts.append(f"### blurgan {name}\n\n{sentence(COMMANDS[name])}")
            parts += [f"```text\n{text}```" for text in helps(name)]
    return "\n\n".join(parts) + "\n"


def sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


OVERVIEW = """\
`blurgan COMMAND --help` prints what is on this page. Coordinates and sizes are z y x
(y x in 2D), physical sizes in µm, wavelengths in nm.

Exit codes: 0 done; 2 the input or the request is at fault, one line on stderr; 1 a
failure of ours, with a log file; 130 interrupted.

Existing results are never overwritten without `--overwrite`. If the output of a command
exists, for example because the same command is run twice, the command is refused with
exit code 2 before any pixel is read, and notes about the input are not printed. Scripts
that repeat a command use a new `--out` for each run, `--overwrite`, or `--resume` to
continue an unfinished run."""


def helps(name: str) -> Iterator[str]:
    """Yield the help of a command, and those of its own sub-commands."""
    parser = build_parser(name)
    command = choices(parser)[name]
    yield plain(command.format_help())
    for sub in choices(command).values():
        yield plain(sub.format_help())


def plain(text: str) -> str:
    """Return a help without escape codes, as a terminal without colours shows it."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def choices(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return dict(found[0].choices) if found else {}


def recipes() -> str:
    """Return the page of all presets and of every field of a recipe."""
    presets = [f"| `{name}` | {words} |" for name, (words, _) in PRESETS.items()]
    parts = ["# Recipes", NOTE, RECIPES, "## Presets"]
    parts.append("\n".join(["| preset | what it trains |", "|---|---|", *presets]))
    parts += ["## The recipe itself", fields(Recipe, "", skip={*PARTS, "version"})]
    for name in ("discriminator", "optimiser", "sampling"):
        section = Recipe.model_fields[name].annotation
        parts += [f"## {name}", about(section), fields(section, f"{name}.")]
    for part, kinds in PARTS.items():
        parts.append(f"## {part}")
        for kind in kinds:
            settings = kinds[kind]
            prefix = f"terms.{kind}." if part == "terms" else f"{part}."
            said = f"### {part}: {kind}\n\n{about(settings)}"
            parts += [said, fields(settings, prefix, skip={"kind"})]
    return "\n\n".join(filter(None, parts)) + "\n"


RECIPES = """\
A recipe says what is trained and how. `blurgan recipe blind > mine.yaml` writes one to
a file; `--set KEY=VALUE` changes a field, with the names in these tables; in Python,
`recipe.updated({"KEY": VALUE})` does the same. A field that does not exist is an error;
the message suggests the nearest one that does.
`terms.NAME=WEIGHT` sets the weight of a term."""


def about(settings: Any) -> str:
    """Return the first paragraph of what a class says of itself."""
    text = inspect.cleandoc(settings.__doc__ or "")
    return " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")


def fields(settings: type[Section], prefix: str, skip: set[str] = frozenset()) -> str:  # type: ignore[assignment]
    """Return the table of the fields of a section."""
    said = meanings(settings)
    rows = [
        f"| `{prefix}{name}` | {default(field)} | {allowed(field)} | "
        f"{said.get(name, '')} |"
        for name, field in settings.model_fields.items()
        if name not in skip and not is_section(field)
    ]
    head = ["| field | default | range | meaning |", "|---|---|---|---|"]
    return "\n".join([*head, *rows]) if rows else ""


def is_section(field: FieldInfo) -> bool:
    kind = field.annotation
    return isinstance(kind, type) and issubclass(kind, Section)


def default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    return f"`{list(value) if isinstance(value, tuple) else value}`"


def allowed(field: FieldInfo) -> str:
    """Return the range of a field, or its choices."""
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    bounds = [
        f"{sign} {getattr(limit, key):g}"
        for limit in field.metadata
        for key, sign in signs.items()
        if getattr(limit, key, None) is not None
    ]
    return ", ".join(bounds) or kind_of(field.annotation)


def kind_of(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind))
    names = {bool: "true, false", int: "whole number", float: "number", str: "text"}
    if kind in names:
        return names[kind]
    inner = [kind_of(part) for part in get_args(kind) if part is not type(None)]
    none = " or none" if type(None) in get_args(kind) else ""
    inner = list(dict.fromkeys(part for part in inner if part))
    return " or ".join(inner) + none


def meanings(settings: type[Section]) -> dict[str, str]:
    """Return what is said of each field, under it or in the docstring of its class."""
    found: dict[str, str] = {}
    for cls in reversed(settings.__mro__):
        if cls in Section.__mro__:
            continue
        found |= documented(inspect.getdoc(cls) or "") | under(cls)
    return {
        name: " ".join(text.split()).replace("|", "\\|") for name, text in found.items()
    }


def under(cls: type) -> dict[str, str]:
    """Return the strings under the fields of a class."""
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(body, ast.ClassDef)
    return {
        field.target.id: text.value.value
        for field, text in zip(body.body, body.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def documented(text: str) -> dict[str, str]:
    """Return what a docstring says of parameters and attributes."""
    entry = re.compile(r"^(\w[\w, ]*) : .*\n((?:^    .*\n?)+)", re.M)
    return {
        name.strip(): words
        for names, words in entry.findall(text)
        for name in names.split(",")
    }


API = """\
What `from napari_blurgan import …` offers. [In Python](python.md) shows calls and their
results; every other module may change between versions."""
SECTION = re.compile(r"^(\w+)\n-+\n", re.M)


def api() -> str:
    """Return the page of all public names, from their docstrings."""
    parts = ["# Python reference", NOTE, API]
    for name in sorted(napari_blurgan.__all__, key=str.lower):
        if name != "__version__":
            parts.append(entry(name, getattr(napari_blurgan, name)))
    return "\n\n".join(parts) + "\n"


def entry(name: str, thing: Any) -> str:
    """Return what is said of a public name, and of the methods of a class."""
    said = [f"## {name}", f"```text\n{signature(name, thing)}\n```", sections(thing)]
    for method, value in vars(thing).items() if isinstance(thing, type) else ():
        inner = getattr(value, "__func__", value)
        if not method.startswith("_") and inspect.isfunction(inner):
            line = f"`{signature(f'{name}.{method}', getattr(thing, method))}`"
            said.append(f"{line}: {about(inner)}")
    return "\n\n".join(said)


def signature(name: str, thing: Any) -> str:
    """Return how something is called, without types: its docstring has them."""
    parameters = inspect.signature(thing).parameters.values()
    plain = [p.replace(annotation=p.empty) for p in parameters if p.name != "self"]
    return f"{name}{inspect.Signature(plain)}"


def sections(thing: Any) -> str:
    """Return a numpydoc docstring as Markdown."""
    first, *rest = SECTION.split(inspect.getdoc(thing) or "")
    parts = [first.strip().replace("``", "`")]
    for title, text in zip(rest[::2], rest[1::2], strict=True):
        body = text.strip()
        if title == "Examples":
            said = f"```pycon\n{body}\n```"
        else:
            said = items(body).replace("``", "`")
        parts.append(f"**{title}**\n\n{said}")
    return "\n\n".join(parts)


def items(body: str) -> str:
    """Return the entries of a section as a list."""
    lines: list[str] = []
    for line in body.splitlines():
        if line.strip() and not line.startswith(" "):
            names, _, kind = line.partition(" : ")
            lines.append(f"- `{names}`" + f" ({kind})" * bool(kind) + ":")
        elif line.strip():
            lines[-1] += f" {line.strip()}"
    return "\n".join(lines)


def main() -> None:
    check = "--check" in sys.argv[1:]
    pages = {"commands.md": commands, "recipes.md": recipes, "api.md": api}
    for name, page in ((name, make()) for name, make in pages.items()):
        path = DOCS / name
        if check and path.read_text(encoding="utf-8") != page:
            raise SystemExit(f"{path} is not up to date: python scripts/reference.py")
        if not check:
            path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
