"""Every number of a recipe has two ends, and what fits no memory is refused first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from napari_blurgan import preset, train
from napari_blurgan.errors import DataError, RecipeError
from napari_blurgan.methods.forwards import FORWARDS
from napari_blurgan.methods.parts import Section
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.methods.reconstructors import RECONSTRUCTORS
from napari_blurgan.methods.sources import SOURCES
from napari_blurgan.methods.terms import TERMS

REGISTERED = [SOURCES, FORWARDS, RECONSTRUCTORS, TERMS]
SECTIONS: list[type[Section]] = [
    Recipe,
    *(kinds[kind] for kinds in REGISTERED for kind in kinds),
]
IMAGE = np.random.default_rng(0).poisson(40, (16, 32, 32)).astype(np.uint16)


def open_ended(schema: Any, place: str = "") -> Iterator[str]:
    """Return the places of numbers that lack a lower or an upper end."""
    if isinstance(schema, list):
        for number, part in enumerate(schema):
            yield from open_ended(part, f"{place}.{number}")
    if not isinstance(schema, dict):
        return
    free = schema.get("type") in ("integer", "number") and "const" not in schema
    if free and not ("enum" in schema or _ends(schema) == {"m", "M"}):
        yield place
    for name, part in schema.items():
        yield from open_ended(part, f"{place}.{name}")


def _ends(schema: dict[str, Any]) -> set[str]:
    lower = {"minimum", "exclusiveMinimum"} & schema.keys()
    upper = {"maximum", "exclusiveMaximum"} & schema.keys()
    return ({"m"} if lower else set()) | ({"M"} if upper else set())


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_every_number_has_two_ends(section: type[Section]) -> None:
    assert list(open_ended(section.model_json_schema())) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sampling.batch", 1_000_000),
        ("discriminator.quantiles", 10**9),
        ("discriminator.steps", 10**8),
        ("optimiser.generator_rate", 1e300),
        ("terms.cycle_y", 1e300),
        ("sampling.patch", 10**9),
    ],
)
def test_a_number_out_of_range_is_refused_by_its_name(field: str, value: float) -> None:
    with pytest.raises(RecipeError, match=rf"^recipe: {field}[:.]"):
        preset("blind").updated({field: value})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"sampling.batch": 4096, "sampling.patch": (100_000, 32, 32)},
            r"a batch of 4096 patches of 100000×32×32 would take .* are free",
        ),
        (
            {"discriminator.base": 4096, "discriminator.layers": 10},
            r"network of .* weights would take .* are free",
        ),
    ],
)
def test_what_no_memory_can_hold_is_refused_before_it_is_made(
    changes: dict[str, Any], words: str
) -> None:
    small = {"reconstructor.base": 2, "sampling.patch": (16, 16, 16), "dims": 3}
    recipe = preset("utom").updated({**small, "steps": 1, **changes})
    with pytest.raises(DataError, match=words):
        train(recipe, IMAGE, IMAGE[::-1].copy(), device="cpu")
