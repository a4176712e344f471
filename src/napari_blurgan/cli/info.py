"""``blurgan info NAME.blurgan``, ``blurgan info --system``."""

from __future__ import annotations

import argparse
import json
from typing import Any

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
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> None:
    """Describe a model folder, or this computer."""
    if (options.model is None) != options.system:
        raise DataError("info takes a model folder, or --system")
    summary = _system() if options.system else _model(options.model)
    if options.json:
        print(json.dumps(summary, indent=2))
    else:
        _print(summary)


def _model(folder: str) -> dict[str, Any]:
    from napari_blurgan.methods.references import references_of
    from napari_blurgan.models.model import load_model

    model = load_model(folder)
    return model.summary() | {"cite": references_of(model.recipe)}


def _system() -> dict[str, Any]:
    from napari_blurgan.system import system_facts

    return system_facts()


def _print(values: dict[str, Any], indent: str = "") -> None:
    for name, value in values.items():
        if isinstance(value, dict):
            print(f"{indent}{name}:")
            _print(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            _print_items(name, value, indent)
        else:
            print(f"{indent}{name}: {_text(value)}")


def _print_items(name: str, items: list[dict[str, Any]], indent: str) -> None:
    """Print a list, one item per line."""
    print(f"{indent}{name}:")
    for item in items:
        words = (f"{key} {_text(value)}" for key, value in item.items())
        print(f"{indent}  {'; '.join(words)}")


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return "unknown" if value is None else str(value)
