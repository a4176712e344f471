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


@pytest.mark.parametrize(("step", "width"), [(1, 4.0), (3, 0.0), (3, 2.5)])
def test_a_step_towards_y_is_along_its_adjoint(step: int, width: float) -> None:
    torch.manual_seed(0)
    forward = AxialSubsampling(step, 1.5, width)
    a, b = torch.rand(2, 1, 1, 24, 3, 3).double().float()
    zero = torch.zeros_like(a)
    # towards(0, y) = H^T y / |H|^2, so that H a, b and a, H^T b have one product.
    seen = -forward.towards(a, zero) - 0 * a
    assert (seen * b).sum().item() == pytest.approx(
        (a * -forward.towards(b, zero)).sum().item(), rel=1e-4
    )
    x = zero
    for _ in range(60):
        x = x + forward.towards(x, b)
    assert (forward.towards(x, b)).abs().max() < 0.2 * b.abs().max()


def test_the_blur_has_its_width_and_keeps_the_light_and_the_grid() -> None:
    point = torch.zeros(1, 1, 41, 1, 1)
    point[:, :, 20] = 1
    forward = AxialSubsampling(1, 1.0, 5.0)
    made = forward(
        torch.nn.functional.pad(point, (0, 0, 0, 0, *2 * [forward.margin[0]]))
    )
    assert made.shape == point.shape
    assert made.sum() == pytest.approx(1, abs=1e-3)
    half = made.flatten() > made.max() / 2
    assert int(half.sum()) == 5
    stepped = AxialSubsampling(4, 1.0, 5.0)
    assert stepped.margin[0] % 4 == 0
    assert stepped(torch.ones(1, 1, 40, 1, 1)).shape[2] == 40 - 2 * stepped.margin[0]


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
