"""A forward model that came as one file: from the command line, and as an object."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from napari_blurgan import Stack, Trainer, load_model, preset, restore
from napari_blurgan.cli import main
from napari_blurgan.errors import RecipeError
from napari_blurgan.forward.axial import AxialSubsampling
from napari_blurgan.monitoring.events import Stepped
from napari_blurgan.optics.forward import ForwardModel
from napari_blurgan.writing.ome_tiff import write_ome_tiff

VOXEL = (0.1, 0.1, 0.1)
SMALL = {"reconstructor.base": 2, "discriminator.base": 2, "sampling.patch": 16}


def volume(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.poisson(20, (24, 32, 32)).astype(np.float32)


def test_it_shows_every_plane_until_the_next() -> None:
    x = torch.arange(7.0).reshape(1, 1, 7, 1, 1)
    assert AxialSubsampling(3)(x).flatten().tolist() == [0, 0, 0, 3, 3, 3, 6]
    assert AxialSubsampling(3, gain=2.0)(x).flatten().tolist()[-1] == 12


def test_it_trains_and_restores_from_the_command_line(tmp_path: Path) -> None:
    for name, seed in (("y", 0), ("x", 1)):
        write_ome_tiff(tmp_path / f"{name}.tif", volume(seed), "ZYX", VOXEL)
    settings = [f"{name}={value}" for name, value in SMALL.items()]
    out = tmp_path / "m.blurgan"
    data = ["--blurred", str(tmp_path / "y.tif"), "--sharp", str(tmp_path / "x.tif")]
    line = ["train", "axial-subsampling", *data, "--out", str(out), "--device", "cpu"]
    assert main([*line, "--set", *settings, "forward.step=3", "--steps", "2"]) == 0
    assert load_model(out).recipe.forward.step == 3
    result = tmp_path / "r.ome.tif"
    assert (
        main(["restore", str(out), str(tmp_path / "y.tif"), "--out", str(result)]) == 0
    )
    assert result.exists()


class Shuttered(ForwardModel):
    """Half of the light."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 0.5 * x


def test_a_forward_model_of_ones_own_is_handed_to_the_trainer() -> None:
    recipe = preset("axial-subsampling").updated(SMALL)
    y, x = ([Stack(volume(n), "ZYX", VOXEL, name=f"{n}")] for n in (0, 1))
    trainer = Trainer(recipe, y, x, steps=2, device="cpu", forward=Shuttered())
    steps = [event for event in trainer if isinstance(event, Stepped)]
    assert len(steps) == 2
    assert restore(trainer.model(), y[0]).data.shape == (24, 32, 32)
    with pytest.raises(RecipeError, match="needs a ForwardModel"):
        list(Trainer(recipe.updated({"forward.kind": "own"}), y, x))
