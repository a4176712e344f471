"""``blurgan info NAME.blurgan``, ``blurgan info --system``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from napari_blurgan.cli._output import add_json, answer, printable
from napari_blurgan.errors import DataError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "model", metavar="NAME.blurgan", nargs="?", help="a trained model"
    )
    parser.add_argument(
        "--system",
        action="store_true",
        help="this computer instead: devices, memory, precision, versions",
    )
    add_json(parser)


def run(options: argparse.Namespace) -> None:
    """Describe a model folder, or this computer."""
    if (options.model is None) != options.system:
        raise DataError("info takes a model folder, or --system")
    summary = _system() if options.system else _model(options.model)
    answer(options, summary, "\n".join(lines(summary)))


def _model(folder: str) -> dict[str, Any]:
    from napari_blurgan.methods.references import references_of
    from napari_blurgan.models.model import load_model

    model = load_model(folder)
    return model.summary() | {"cite": references_of(model.recipe)}


def _system() -> dict[str, Any]:
    from napari_blurgan.system import system_facts

    return system_facts()


def lines(values: dict[str, Any], indent: str = "") -> Iterator[str]:
    """Yield names and values, those of a mapping or a list below its name."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield f"{indent}{name}:"
            yield from lines(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{indent}{name}:"
            for item in value:
                words = (f"{key} {_text(inner)}" for key, inner in item.items())
                yield f"{indent}  {'; '.join(words)}"
        else:
            yield f"{indent}{name}: {_text(value)}"


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if value is None:
        return "unknown"
    # Files of others may hold what a terminal would obey.
    return printable(value)
