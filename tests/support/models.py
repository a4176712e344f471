"""Models of tiny networks that were never trained."""

from __future__ import annotations

from typing import Any

import torch

from napari_blurgan.data.normalize import Normalization
from napari_blurgan.methods.presets import preset
from napari_blurgan.models.model import Model
from napari_blurgan.preparation.calibration import Calibration, NoiseModel
from napari_blurgan.reconstructors.reconstructor import build_reconstructor

__all__ = ["LEVELS", "untrained"]

LEVELS = Normalization(100, 50)


def untrained(dims: int = 3, channels: tuple[int, int] = (1, 1), **changes: Any) -> Any:
    """A model whose weights are as they were drawn."""
    torch.manual_seed(0)
    recipe = preset("supervised").updated(
        {"dims": dims, "reconstructor.base": 2, "reconstructor.levels": 2}
        | {"reconstructor.output": "linear"}
        | {key.replace("__", "."): value for key, value in changes.items()}
    )
    settings = recipe.reconstructor
    generator = build_reconstructor(settings, dims, channels, (2,) * dims)
    return Model(
        recipe=recipe,
        calibration=Calibration(LEVELS, LEVELS, 1.0, NoiseModel(0.0, 0.0), LEVELS),
        generator=generator.eval(),
        channels=channels,
        pool=(2,) * dims,
        blur=None,
        psf=None,
        voxel_size=(0.3, 0.1, 0.1)[-3:],
        id="0123456789ab",
    )
