"""A stack on its side as the sharp set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from napari_blurgan import Stack, Trainer, load_model, preset, restore
from napari_blurgan.cli import main
from napari_blurgan.data.sections import seen_from
from napari_blurgan.monitoring.events import Stepped
from napari_blurgan.sources.turned import SIDES, TurnedSource
from napari_blurgan.writing.ome_tiff import write_ome_tiff

SMALL = {
    "reconstructor.base": 2,
    "discriminator.base": 2,
    "discriminator.scales": 1,
    "sampling.patch": 16,
    "forward.width": 3.0,
    "reconstructor.iterations": 5,
    "precision": "float32",
}


def volume(seed: int = 0) -> np.ndarray:
    """Noise that is the same along z."""
    plane = np.random.default_rng(seed).poisson(50, (32, 32))
    return np.broadcast_to(plane, (12, 32, 32)).astype(np.float32)


def test_sides_have_z_in_the_plane() -> None:
    settings = TurnedSource()
    assert settings.most_domains == 1
    for side in SIDES:
        turned = seen_from(Stack(volume(), "ZYX", (0.3, 0.1, 0.1)), side)
        assert turned.voxel_size[0] == 0.1
        assert turned.size("Z") == 32


def test_x_varies_along_z_where_y_does_not() -> None:
    stack = Stack(volume(), "ZYX", (0.1, 0.1, 0.1), name="y")
    trainer = Trainer(preset("three-way").updated(SMALL), [stack], [], steps=1)
    list(trainer)
    draw = trainer._parts.prepared.source.draw()
    assert draw.x is not None
    y, x = (v - v.mean() for v in (draw.y, draw.x))
    assert y.diff(dim=1).abs().max() < 1e-6
    assert x.diff(dim=1).abs().mean() > 0.1
    assert draw.simulated is not None
    assert draw.simulated.diff(dim=1).abs().mean() < x.diff(dim=1).abs().mean()


def test_it_trains_resumes_and_restores_cubes_from_the_command_line(
    tmp_path: Path,
) -> None:
    torch.set_num_threads(1)
    image = tmp_path / "y.tif"
    noisy = np.random.default_rng(1).poisson(volume()).astype(np.float32)
    write_ome_tiff(image, noisy, "ZYX", (0.2, 0.1, 0.1))
    out, result = tmp_path / "m.blurgan", tmp_path / "r.ome.tif"
    settings = [f"{name}={value}" for name, value in SMALL.items()]
    line = ["train", "three-way", "--blurred", str(image), "--out", str(out)]
    line += ["--device", "cpu"]
    assert main([*line, "--set", *settings, "--steps", "2"]) == 0
    assert main([*line, "--set", *settings, "--steps", "3", "--resume"]) == 0
    assert main(["restore", str(out), str(image), "--out", str(result)]) == 0
    made = restore(load_model(out), Stack(noisy, "ZYX", (0.2, 0.1, 0.1), name="y"))
    assert made.data.shape == (23, 32, 32)
    assert made.voxel_size == pytest.approx((0.1, 0.1, 0.1))


def test_the_width_that_was_found_is_in_the_recipe_of_the_model() -> None:
    from tests.transport.test_axial_width import seen

    recipe = preset("three-way").updated(SMALL | {"forward.width": "auto"})
    trainer = Trainer(recipe, [seen("vesicles", 2.0)], [], steps=1, device="cpu")
    assert [e.step for e in trainer if isinstance(e, Stepped)] == [1]
    assert trainer.model().recipe.forward.width == pytest.approx(4.7, rel=0.25)
