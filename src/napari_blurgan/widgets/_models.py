"""Entries in a list of models: names, marked if hardly trained."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

__all__ = ["FEW", "named", "trained_steps"]

FEW = 200
"""Steps below which a network has hardly learned anything."""


def trained_steps(model: Path) -> int | None:
    """Return the number of training steps of a model folder; None if unknown."""
    try:
        summary = json.loads((model / "model.json").read_text(encoding="utf-8"))
        return int(summary["provenance"]["steps"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def named(models: Sequence[Path]) -> list[tuple[str, Path]]:
    """Return unique names to choose from, with marks for hardly trained models."""
    stems = Counter(path.stem for path in models)
    return [
        (_marked(_name(path, stems[path.stem] > 1), trained_steps(path)), path)
        for path in models
    ]


def _name(path: Path, ambiguous: bool) -> str:
    return f"{path.stem} ({path.parent})" if ambiguous else path.stem


def _marked(name: str, steps: int | None) -> str:
    """Return a name with a sign in front, which is seen in the narrowest of boxes."""
    if steps is None:
        return f"⚠ {name}, cannot be read"
    if steps == 0:
        return f"⚠ {name}, untrained"
    few = f"{steps} step{'s'[: steps != 1]}"
    return f"⚠ {name}, {few}" if steps < FEW else name
