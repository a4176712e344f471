"""The discriminator of sections."""

from __future__ import annotations

import pytest
import torch

from napari_blurgan import Stack, Trainer, preset
from napari_blurgan.errors import RecipeError
from napari_blurgan.monitoring.events import Stepped
from napari_blurgan.objective.planes import sections
from tests.transport.test_turned import SMALL, volume


def test_sections_are_those_of_the_volume() -> None:
    v = torch.arange(2.0 * 3 * 4 * 5).reshape(1, 2, 3, 4, 5)
    assert torch.equal(sections(v, "xy")[1], v[0, :, 1])
    assert torch.equal(sections(v, "xz")[2], v[0, :, :, 2])
    assert torch.equal(sections(v, "yz")[3], v[0, :, :, :, 3])


def test_as_many_planes_as_sections_of_all_three_views() -> None:
    stack = Stack(volume(), "ZYX", (0.1, 0.1, 0.1), name="y")
    trainer = Trainer(preset("three-way").updated(SMALL), [stack], [], steps=1)
    found = [e for e in trainer if isinstance(e, Stepped)]
    assert {"adversarial_planes", "discriminator_planes"} <= set(found[0].losses)
    engine = trainer._parts.engine
    assert engine.latest is not None
    real, made = engine.adversarial["adversarial_planes"].real_and_made(engine.latest)
    assert real.shape == made.shape == (16, 1, 16, 16)
    assert torch.equal(made[6:11], sections(engine.latest.x_hat, "xz")[1::3])


def test_patches_have_to_be_cubes() -> None:
    stack = Stack(volume(), "ZYX", (0.1, 0.1, 0.1), name="y")
    recipe = preset("three-way").updated(SMALL | {"sampling.patch": [12, 16, 16]})
    with pytest.raises(RecipeError, match="cubes"):
        list(Trainer(recipe, [stack], [], steps=1))
