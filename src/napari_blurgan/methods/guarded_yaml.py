"""YAML from unknown sources: no objects, no bombs, and errors in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from napari_blurgan.errors import RecipeError

__all__ = ["parse_yaml", "read_yaml"]

LARGEST_FILE = 1 << 20
DEEPEST = 32
MOST_ALIASES = 100


def read_yaml(path: str | Path, what: str = "recipe") -> Any:
    """Read a YAML or JSON file: mappings, lists, text, numbers.

    Parameters
    ----------
    path : str or Path
        The file.
    what : str
        What it is expected to be, for messages.

    Raises
    ------
    RecipeError
        If it cannot be read, is larger than a mebibyte, more than 32 levels deep, has
        more than 100 aliases or one within what is anchored (which grows without
        end), or asks for other objects. The message is one line.
    """
    try:
        size = Path(path).stat().st_size
        if size > LARGEST_FILE:
            raise RecipeError(f"{path}: {size} bytes is too large for a {what}")
        text = Path(path).read_text(encoding="utf-8")
    except RecipeError as error:
        raise RecipeError(f"cannot read the {what} {path}: {error}") from None
    except UnicodeDecodeError as error:
        raise RecipeError(f"cannot read the {what} {path}: {_line(error)}") from None
    except OSError as error:
        raise RecipeError(
            f"cannot read the {what} {path}: {error.strerror or error}"
        ) from None
    return parse_yaml(text, f"the {what} {path}")


def parse_yaml(text: str, what: str) -> Any:
    """Return the content of a text in YAML or JSON; see `read_yaml`."""
    try:
        _check_events(text)
        return yaml.safe_load(text)
    except RecipeError as error:
        raise RecipeError(f"cannot read {what}: {error}") from None
    except Exception as error:  # yaml passes on the errors of int() and dict()
        raise RecipeError(f"cannot read {what}: {_line(error)}") from None


def _check_events(text: str) -> None:
    """Raise if the content is nested too deeply, or larger than the text."""
    depth, aliases = 0, 0
    anchored: list[int] = []
    for event in yaml.parse(text, yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if event.anchor:
                anchored.append(depth)
        elif isinstance(event, yaml.CollectionEndEvent):
            if anchored and anchored[-1] == depth:
                anchored.pop()
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
            if anchored:
                raise RecipeError("an alias refers to the node that contains it")
        if depth > DEEPEST:
            raise RecipeError(f"it is more than {DEEPEST} levels deep")
        if aliases > MOST_ALIASES:
            raise RecipeError(f"it has more than {MOST_ALIASES} aliases")


def _line(error: Exception) -> str:
    """Return the error and its position in one line."""
    problem = getattr(error, "problem", None) or str(error) or type(error).__name__
    mark = getattr(error, "problem_mark", None)
    place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return " ".join(str(problem).split())[:200] + place
