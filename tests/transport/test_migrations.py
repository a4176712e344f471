"""Recipes, models and trainings of recipe version 1 go on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from napari_blurgan import Stack, Trainer, load_model
from napari_blurgan.classical.accelerated import AcceleratedSteps
from napari_blurgan.methods.presets import preset
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models.inference import model_operator
from napari_blurgan.models.model import read_history
from napari_blurgan.monitoring.events import Stepped
from napari_blurgan.optics.models import Optics
from napari_blurgan.restoration.predict import apply

MODELS = Path(__file__).parents[1] / "models"
VOXELS = (0.2, 0.1, 0.1)


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    with np.load(MODELS / "version1.npz") as arrays:
        return dict(arrays)


def stack(values: np.ndarray, name: str) -> Stack:
    return Stack(values.astype(np.float32), "ZYX", VOXELS, name=name)


def test_a_model_restores_as_it_did(
    kept: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Version 1 put out dim light beside hazy structure.
    monkeypatch.setattr(AcceleratedSteps, "kept", 0.0)
    model = load_model(MODELS / "version1")
    operator = model_operator(model, torch.device("cpu"), "float32")
    # Version 1 mirrored images at their borders, whatever the model.
    margin = [min(8, halo) for halo in operator.halo]
    events = list(apply(operator, stack(kept["y"], "y"), margin=margin))
    data = np.asarray(events[-1].result.data)
    np.testing.assert_allclose(data, kept["restored"], rtol=1e-4, atol=1e-2)


def test_a_training_goes_on_as_it_did(kept: dict[str, Any], tmp_path: Path) -> None:
    """But for |x - G(Hx)|: Hx is no longer mirrored at every border."""
    folder = tmp_path / "resumed.blurgan"
    shutil.copytree(MODELS / "version1", folder)
    trainer = Trainer(
        load_model(folder).recipe,
        [stack(kept["y"], "y")],
        [stack(kept["x"], "x")],
        folder,
        optics=Optics(1.2, 1.33, 520),
        device="cpu",
        steps=9,
        resume=True,
    )
    losses = [event.losses for event in trainer if isinstance(event, Stepped)]
    expected = json.loads((MODELS / "version1.json").read_text())
    assert len(losses) == len(expected) == 3
    for now, then in zip(losses, expected, strict=True):
        for name, value in then.items():
            present = name.replace("potential", "discriminator")
            assert now[present] == pytest.approx(value, rel=1e-3)
    rows = read_history(folder / "history.csv")
    assert [row["step"] for row in rows] == list(range(1, 10))


def test_a_recipe_of_version_one_is_the_same_recipe() -> None:
    old = {
        "name": "blind",
        "generator": {"guide": 30},
        "forward": {"learned": True},
        "weights": {"cycle_x": 4000.0, "cycle_y": 40.0, "spectral": 300.0},
        "cycle_power": 2,
        "optimiser": {"generator_rate": 2e-3},
    }
    of_then = {
        "iterations": 30,
        "grain": 0.0,
        "depths": 1,
        "momentum": 0.02,
        "average": 0.0,
    }
    fields = {f"reconstructor.{name}": value for name, value in of_then.items()}
    expected = preset("blind").updated(fields)
    assert Recipe.parse(old | {"version": 1}) == expected
    assert Recipe.parse(old) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"weights.cycle_x": 5}, {"terms.cycle_x": 5}),
        ({"generator.base": 16}, {"reconstructor.base": 16}),
        ({"generator.guide": 12}, {"reconstructor.iterations": 12}),
        ({"generator.guide": 0}, {"reconstructor.kind": "plain"}),
        ({"adversary.scales": 2}, {"discriminator.scales": 2}),
        (
            {"saliency.alpha": 3, "saliency.beta": 1},
            {"terms.saliency.alpha": 3, "terms.saliency.beta": 1},
        ),
        ({"sampling.paired": True}, {"source.kind": "paired"}),
    ],
)
def test_the_names_of_version_one_are_understood(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    recipe = preset("nonblind")
    assert recipe.updated(old) == recipe.updated(new)
    assert recipe.updated(new) != recipe
