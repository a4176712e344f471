"""Dotted changes of a recipe: ``{"reconstructor.base": 16, "terms.cycle_x": 0}``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from napari_blurgan.errors import RecipeError
from napari_blurgan.methods.forwards import FORWARDS
from napari_blurgan.methods.guarded_yaml import parse_yaml
from napari_blurgan.methods.migrations import renamed
from napari_blurgan.methods.parts import Kinds, unknown
from napari_blurgan.methods.reconstructors import RECONSTRUCTORS
from napari_blurgan.methods.sources import SOURCES
from napari_blurgan.methods.terms import TERMS

__all__ = ["changed", "parse_changes"]

PARTS: dict[str, Kinds[Any]] = {
    "source": SOURCES,
    "forward": FORWARDS,
    "reconstructor": RECONSTRUCTORS,
}


def parse_changes(pairs: Iterable[str], expected: str, place: str) -> dict[str, Any]:
    """Return ``["a.b=1", "c=x"]`` as a mapping, the values read as YAML.

    Parameters
    ----------
    pairs : iterable of str
        KEY=VALUE each.
    expected : str
        Said first where one is no such pair.
    place : str
        Where they were given, for messages.

    Raises
    ------
    RecipeError
        If there is no equals sign, or a value is no YAML.
    """
    changes = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise RecipeError(f"{expected}, found {pair!r}")
        changes[key] = parse_yaml(value, f"the value of {place} {key}")
    return changes


def changed(settings: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a recipe with dotted fields replaced.

    Parameters
    ----------
    settings : dict
        A whole recipe, as JSON values; changed in place.
    changes : mapping
        Of dotted names, those of version 1 included.

    Raises
    ------
    RecipeError
        If there is no such section.
    """
    present = {name: value for old in changes.items() for name, value in renamed(*old)}
    # Kinds first: other fields belong to the new kind.
    for dotted in sorted(present, key=lambda name: not name.endswith(".kind")):
        _set(settings, dotted, present[dotted])
    return settings


def _set(settings: dict[str, Any], dotted: str, value: Any) -> None:
    section, _, field = dotted.partition(".")
    if section == "terms" and field:
        _set_term(settings["terms"], field, value)
    elif field == "kind" and section in PARTS:
        settings[section] = _of_kind(PARTS[section], value, settings[section])
    elif field:
        _inside(settings, section, dotted)[field] = value
    else:
        settings[section] = value


def _inside(settings: dict[str, Any], section: str, dotted: str) -> dict[str, Any]:
    target = settings.get(section)
    if not isinstance(target, dict) or dotted.count(".") > 1:
        raise RecipeError(unknown(dotted, _names(settings)))
    return target


def _set_term(terms: dict[str, Any], field: str, value: Any) -> None:
    name, _, setting = field.partition(".")
    old = terms.get(name, 0.0)
    term = dict(old) if isinstance(old, dict) else {"weight": old}
    new = value if isinstance(value, dict) else {setting or "weight": value}
    terms[name] = term | new


def _of_kind(kinds: Kinds[Any], kind: str, old: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a new kind shares with an old one.

    Defaults of the old kind become defaults of the new one.
    """
    if kind == old["kind"]:
        return dict(old)
    before, after = kinds[old["kind"]].model_fields, kinds[kind].model_fields
    kept = {
        name: value
        for name, value in old.items()
        if name in after and value != before[name].default
    }
    return kept | {"kind": kind}


def _names(settings: Mapping[str, Any]) -> list[str]:
    """Return the dotted names of all fields and of all known terms."""
    inner = [
        f"{section}.{field}"
        for section, value in settings.items()
        if isinstance(value, dict)
        for field in value
    ]
    return [*settings, *inner, *(f"terms.{name}" for name in TERMS)]
