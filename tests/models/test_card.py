"""README.md in the folder of a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_blurgan import Model, Stack, load_model, preset, train
from napari_blurgan.monitoring.events import Event, Warned
from napari_blurgan.preparation.appearance import FEATURES


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    rng = np.random.default_rng(0)
    y, x = np.indices((64, 64))
    light = 60 * np.exp(-(((y - 30) ** 2 + (x - 34) ** 2) / 200))
    frames = 100 + 2 * rng.poisson(light, (6, 64, 64))
    stack = Stack(frames.astype(np.uint16), "TYX", (None, 0.1, 0.1), name="day`1`\n# a")
    recipe = preset("noise2noise").updated({"reconstructor.base": 2})
    out = tmp_path_factory.mktemp("card") / "m.blurgan"
    train(recipe, stack, out=out, steps=2, device="cpu", licence="CC BY 4.0\n# b")
    return load_model(out)


def test_it_says_what_the_model_was_trained_on(model: Model) -> None:
    assert model.path is not None
    card = (model.path / "README.md").read_text(encoding="utf-8")
    assert f"# noise2noise, model {model.id}" in card
    assert "- voxel size, yx: 0.1 × 0.1 µm" in card
    assert "TYX 6×64×64, uint16, SHA-256" in card
    assert "- steps: 2\n" in card
    assert "Lehtinen" in card
    background, brightest = model.input.offset, model.input.offset + model.input.scale
    assert f"background {background:.5g}, 99.9th percentile {brightest:.5g}" in card


def test_the_noise_is_in_grey_levels(model: Model) -> None:
    assert model.path is not None
    card = (model.path / "README.md").read_text(encoding="utf-8")
    line = next(line for line in card.split("\n") if line.startswith("- noise"))
    slope = float(line.split("variance ")[1].split(" ")[0])
    assert slope == pytest.approx(2.0, rel=0.2)


def test_what_the_images_look_like(model: Model) -> None:
    assert model.path is not None
    card = (model.path / "README.md").read_text(encoding="utf-8")
    for name in FEATURES:
        assert f"\n- {name}: " in card


def test_the_licence_of_the_images_is_one_line(model: Model) -> None:
    assert model.path is not None
    card = (model.path / "README.md").read_text(encoding="utf-8")
    assert "\n- licence of the images: CC BY 4.0 # b\n" in card


def test_what_was_wrong_in_training_is_told(tmp_path: Path) -> None:
    light = np.random.default_rng(0).poisson(220, (4, 64, 64))
    stack = Stack(np.minimum(light, 255).astype(np.uint8), "TYX", name="n")
    recipe = preset("noise2self").updated({"reconstructor.base": 2})
    out, said = tmp_path / "m.blurgan", list[Event]()
    train(recipe, stack, out=out, steps=2, device="cpu", progress=said.append)
    warned = [event.message for event in said if isinstance(event, Warned)]
    card = (out / "README.md").read_text(encoding="utf-8")
    assert any("saturated" in message for message in warned)
    assert "## Diagnoses of the training" in card
    for message in warned:
        assert f"\n- {' '.join(message.split())}\n" in card


def test_names_of_files_are_no_markup(model: Model) -> None:
    assert model.path is not None
    lines = (model.path / "README.md").read_text(encoding="utf-8").split("\n")
    assert any("`day'1' # a`" in line for line in lines)
    assert "# a" not in [line[:3] for line in lines]


def test_it_is_made_anew_when_a_model_is_saved(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "copy.blurgan")
    assert model.id in (tmp_path / "copy.blurgan" / "README.md").read_text("utf-8")
