"""The card of a model: README.md in its folder, for whoever finds it later."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.methods.references import references_of
from napari_blurgan.preparation.appearance import FEATURES, Appearance

__all__ = ["model_card"]


def model_card(recipe: Recipe, summary: Mapping[str, Any]) -> str:
    """Return what a model was trained on, how, and what was measured, as Markdown.

    Parameters
    ----------
    recipe : Recipe
        Of the training.
    summary : mapping
        What `Model.summary` returns.
    """
    facts = summary["provenance"]
    parts = {
        "Images it was trained on": _images(summary, facts),
        "What these images look like": _looks(summary, facts),
        "Training": _training(recipe, facts),
        "Measured in training": _measured(facts),
        "Diagnoses of the training": _diagnosed(facts),
        "Please cite": _cited(recipe),
    }
    head = (
        f"# {recipe.name}, model {summary['id']}\n\n"
        "Restore with it only images like those it was trained on: the same structure, "
        "stain, microscope, voxel size and exposure. `blurgan restore` compares each "
        "image with the figures below and says what is different. Whether a result can "
        "be believed is said by `blurgan evidence`.\n"
    )
    shown = {name: list(lines) for name, lines in parts.items()}
    return head + "".join(
        f"\n## {name}\n\n" + "".join(f"- {line}\n" for line in lines)
        for name, lines in shown.items()
        if lines
    )


def _images(summary: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[str]:
    voxel = " × ".join(
        "unknown" if size is None else f"{size:.4g}"
        for size in summary["voxel_size_um"][-summary["dims"] :]
    )
    yield f"voxel size, {'zyx'[-summary['dims'] :]}: {voxel} µm"
    for image in facts.get("data", []):
        shape = "×".join(map(str, image.get("shape", [])))
        yield (
            f"`{_plain(image.get('name'))}`, {image.get('axes')} {shape}, "
            f"{image.get('dtype')}, SHA-256 {str(image.get('sha256'))[:16]}…"
        )
    if "licence" in facts:
        yield f"licence of the images: {_plain(facts['licence'])}"


def _looks(summary: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[str]:
    levels, noise = summary["calibration"]["y"], summary["calibration"]["noise"]
    offset, scale = levels["offset"], levels["scale"]
    yield f"background {offset:.5g}, 99.9th percentile {offset + scale:.5g} grey levels"
    if noise["slope"] or noise["intercept"]:
        read = math.sqrt(max(noise["intercept"], 0.0)) * scale
        yield (
            f"noise: variance {noise['slope'] * scale:.4g} × (grey level − background) "
            f"+ {read:.4g}², in grey levels"
        )
    seen = Appearance.from_dict(facts.get("appearance"))
    for name, value in zip(FEATURES, seen.features if seen else (), strict=False):
        yield f"{name}: {math.exp(value):.3g}"


def _training(recipe: Recipe, facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"recipe `{recipe.name}`, {recipe.dims}D, every setting in `recipe.yaml`"
    named = {
        "steps": "steps",
        "seed": "seed",
        "created": "begun",
        "device": "device",
        "napari-blurgan": "napari-blurgan",
        "torch": "torch",
    }
    for key, word in named.items():
        if key in facts:
            yield f"{word}: {_plain(facts[key])}"


def _measured(facts: Mapping[str, Any]) -> Iterator[str]:
    for part, word in (("unseen", "unseen photons"), ("content", "content")):
        for name, value in (facts.get(part) or {}).items():
            if isinstance(value, float | int):
                yield f"{word}, {name.replace('_', ' ')}: {value:.4g}"


def _diagnosed(facts: Mapping[str, Any]) -> Iterator[str]:
    found = facts.get("diagnoses")
    for message in found.values() if isinstance(found, dict) else ():
        yield _plain(message)


def _cited(recipe: Recipe) -> Iterator[str]:
    for paper in references_of(recipe):
        yield (
            f"{paper['text']}. {paper['doi'] or paper['url'] or ''}".rstrip(". ") + "."
        )


def _plain(value: Any) -> str:
    """Return a value in one line, without what Markdown would take for markup."""
    return " ".join(str(value).replace("`", "'").split())
