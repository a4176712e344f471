"""Recipes of older versions, updated one version at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, Literal

from napari_blurgan.errors import RecipeError

__all__ = ["VERSION", "migrate", "migrate_row", "migrate_training", "renamed"]

VERSION: Final[Literal[2]] = 2

# Present names of the sections of version 1.
SECTIONS = {"generator": "reconstructor", "adversary": "discriminator"}
ONLY_IN_ONE = {*SECTIONS, "weights", "saliency"}

WEIGHTS = {"adversarial_x": 1.0, "cycle_y": 100.0, "cycle_x": 100.0}
"""Default weights of version 1."""

TERMS_STATE = {
    "potential_x.": "adversarial_x.discriminator.",
    "potential_y.": "adversarial_y.discriminator.",
    "spectrum.": "spectral.spectrum.",
}
"""Place of the state of the terms in version 1, and its present place."""

KERNEL_FIELDS = {
    *("learned", "parametrisation", "start", "aberrations", "size", "frozen_steps"),
    *("noise", "widen"),
}
"""Fields of the forward model of version 1, whatever its kind."""


def _from_one(old: dict[str, Any]) -> dict[str, Any]:
    """Turn sections with fields for every kind into parts of one kind each."""
    new = {k: v for k, v in old.items() if k not in ONLY_IN_ONE}
    sampling = dict(old.get("sampling", {}))
    new["source"] = {"kind": "paired" if sampling.pop("paired", False) else "unpaired"}
    new["sampling"] = sampling
    new["forward"] = _forward_from_one(dict(old.get("forward", {})))
    new["reconstructor"] = _reconstructor_from_one(dict(old.get("generator", {})))
    if "adversary" in old:
        new["discriminator"] = old["adversary"]
    weights = WEIGHTS | dict(old.get("weights", {}))
    new["terms"] = {name: weight for name, weight in weights.items() if weight}
    saliency = dict(old.get("saliency", {}))
    if weights.get("saliency") or saliency.get("alpha") is not None:
        weight = weights.get("saliency", 0.0)
        new["terms"]["saliency"] = {"weight": weight} | saliency
    return new


def _forward_from_one(forward: dict[str, Any]) -> dict[str, Any]:
    kind = forward.pop("kind", "kernel")
    if kind == "kernel":
        return {"kind": kind} | forward
    return {"kind": kind} | {k: v for k, v in forward.items() if k not in KERNEL_FIELDS}


def _reconstructor_from_one(generator: dict[str, Any]) -> dict[str, Any]:
    iterations, renew = generator.pop("guide", 0), generator.pop("renew", 40)
    if not iterations:
        return {"kind": "plain"} | generator
    refining = {"kind": "refining", "iterations": iterations, "renew": renew}
    return refining | generator


# MIGRATIONS[n] turns the settings of version n into those of version n + 1.
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _from_one}


def migrate(settings: dict[str, Any]) -> dict[str, Any]:
    """Return `settings` in the form of the present version.

    Settings without a version are of the present one, unless they have a section that
    only version 1 knew.

    Raises
    ------
    RecipeError
        If they come from a newer version of the program.
    """
    unsaid = 1 if ONLY_IN_ONE & set(settings) else VERSION
    version = settings.get("version", unsaid)
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise RecipeError(
            f"the recipe is of version {version!r}, this program reads versions "
            f"1 to {VERSION}: update napari-blurgan"
        )
    for old in range(version, VERSION):
        settings = MIGRATIONS[old](settings)
    return settings | {"version": VERSION}


def renamed(dotted: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Return the present name of a field of version 1, and its value."""
    section, _, field = dotted.partition(".")
    if dotted == "sampling.paired":
        yield "source.kind", "paired" if value else "unpaired"
    elif dotted == "generator.guide":
        yield "reconstructor.kind", "refining" if value else "plain"
        if value:
            yield "reconstructor.iterations", value
    elif section == "weights":
        yield f"terms.{field}", value
    elif section == "saliency":
        yield f"terms.saliency.{field}", value
    elif section in SECTIONS:
        yield f"{SECTIONS[section]}.{field}", value
    else:
        yield dotted, value


def migrate_training(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state of a training in the form of the present version."""
    engine = state["engine"]
    if "source" in engine:
        return state
    parts = ("samplers", "fields")
    transport = engine["transport"]
    own = {_of_terms(key): value for key, value in transport.items()}
    new = {key: value for key, value in engine.items() if key not in parts}
    new["source"] = {part: engine[part] for part in parts}
    new["transport"] = {k: v for k, v in transport.items() if _of_terms(k) is None}
    new["terms"] = {key: value for key, value in own.items() if key is not None}
    new["history"] = {f"adversarial_{k}": v for k, v in engine["history"].items()}
    for part in ("optimisers", "scalers"):
        new[part] = migrate_row(engine[part])
    return state | {"engine": new}


def _of_terms(key: str) -> str | None:
    """Say where version 1 kept in the networks what is now a term's own."""
    for old, new in TERMS_STATE.items():
        if key.startswith(old):
            return new + key.removeprefix(old)
    return None


def migrate_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return values that are stored by loss under the present names."""
    return {k.replace("potential_", "discriminator_"): v for k, v in row.items()}
