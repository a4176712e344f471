from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_blurgan.errors import RecipeError
from napari_blurgan.methods.presets import PRESETS, preset
from napari_blurgan.methods.recipe import Recipe


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_yaml_and_json(name: str, tmp_path: Path) -> None:
    recipe = preset(name)
    (tmp_path / "a.yaml").write_text(recipe.to_yaml())
    (tmp_path / "a.json").write_text(recipe.model_dump_json())
    assert Recipe.read(tmp_path / "a.yaml") == recipe
    assert Recipe.read(tmp_path / "a.json") == recipe


@pytest.mark.parametrize(
    ("field", "suggestion"),
    [
        ("termz.cycle_y", "terms.cycle_y"),
        ("reconstructor.bse", "reconstructor.base"),
        ("patch", "sampling.patch"),
        ("generator.bse", "reconstructor.base"),
    ],
)
def test_a_typo_is_refused_with_the_nearest_name(field: str, suggestion: str) -> None:
    with pytest.raises(RecipeError, match=rf"did you mean {suggestion}\?"):
        preset("blind").updated({field: 1})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sampling.patch": -1}, "sampling.patch"),
        (
            {"forward.kind": "none", "reconstructor.kind": "plain"},
            "needs a forward model",
        ),
        ({"forward.learned": False}, "needs a learned kernel"),
        ({"forward.kind": "network", "terms.spectral": 0}, "needs a blur kernel"),
        (
            {"forward.widen": 0.1, "reconstructor.kind": "plain"},
            "needs an estimate to refine",
        ),
        ({"terms.supervised": 1}, "needs matched pairs"),
        ({"dims": 4}, "dims"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(RecipeError, match=reason):
        preset("blind").updated(changes)


def test_recipes_of_the_future_are_refused() -> None:
    with pytest.raises(RecipeError, match="version 99"):
        Recipe.parse({"version": 99})


def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("just words")
    with pytest.raises(RecipeError, match="is not a recipe"):
        Recipe.read(tmp_path / "a.yaml")
    with pytest.raises(RecipeError, match="cannot read"):
        Recipe.read(tmp_path / "none.yaml")


def test_an_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(RecipeError, match=r"blind.*utom"):
        preset("sighted")


@given(
    rate=st.floats(1e-6, 1.0),
    weight=st.floats(0, 1e3),
    patch=st.integers(8, 128),
    seed=st.integers(0, 2**31),
)
def test_any_values_survive_a_round_trip(
    rate: float, weight: float, patch: int, seed: int
) -> None:
    recipe = preset("nonblind").updated(
        {
            "optimiser.generator_rate": rate,
            "terms.cycle_y": weight,
            "sampling.patch": patch,
            "seed": seed,
        }
    )
    assert Recipe.parse(json.loads(recipe.model_dump_json())) == recipe


def test_the_saliency_weight_decays_to_its_floor() -> None:
    recipe = preset("utom").updated({"saliency.half_life": 100, "saliency.floor": 0.1})
    weights = [recipe.weights_at(step)["saliency"] for step in (0, 100, 10_000)]
    start = recipe.terms["saliency"].weight
    assert weights == pytest.approx([start, start / 2, start / 10])
