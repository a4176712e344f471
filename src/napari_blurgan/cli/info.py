"""``blurgan info NAME.blurgan``."""

from __future__ import annotations

import argparse
import json
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("model", metavar="NAME.blurgan", help="a trained model")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> None:
    """Print what a model folder holds."""
    from napari_blurgan.models.model import load_model

    model = load_model(options.model)
    summary = model.summary()
    if options.json:
        print(json.dumps(summary, indent=2))
    else:
        _print(summary)


def _print(values: dict[str, Any], indent: str = "") -> None:
    for name, value in values.items():
        if isinstance(value, dict):
            print(f"{indent}{name}:")
            _print(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            print(f"{indent}{name}: {', '.join(item['name'] for item in value)}")
        else:
            print(f"{indent}{name}: {_text(value)}")


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return "unknown" if value is None else str(value)
