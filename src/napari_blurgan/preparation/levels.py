"""Grey levels of the two data sets: zero, brightness and noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.normalize import Normalization, robust_normalization
from napari_blurgan.data.stack import Stack
from napari_blurgan.interruption import heed_stop
from napari_blurgan.methods.parts import PAIRS, WAY_BACK
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.preparation.calibration import (
    Calibration,
    NoiseModel,
    background_level,
    estimate_noise,
)
from napari_blurgan.sampling.patches import PatchSampler

__all__ = ["calibrate"]

PATCHES = 48
"""Number of patches for measuring background, noise and gain."""

LARGEST = 128
"""Largest size of such a patch along one axis for planes; half of it for volumes. More
voxels improve nothing and take seconds."""


def calibrate(recipe: Recipe, y: Sequence[Stack], x: Sequence[Stack]) -> Calibration:
    """Measure levels, gain and noise of both data sets.

    Without sharp images, x is assumed to have the scale of y.
    """
    level_y = robust_normalization(y)
    level_x = robust_normalization(x) if x else level_y
    if not recipe.forward.photometric:
        return Calibration(level_y, level_x, 1.0, NoiseModel(0.0, 0.0), level_x)
    level_y, patches = _to_background(level_y, y, recipe)
    level_x, sharp = _to_background(level_x, x, recipe) if x else (level_y, patches)
    measures = WAY_BACK in recipe.offers
    gain = _mean(patches) / _mean(sharp) if measures else 1.0
    flux = Normalization(level_y.offset, level_y.scale * gain)
    output = level_x if PAIRS in recipe.offers else flux
    return Calibration(level_y, level_x, gain, estimate_noise(patches), output)


def _to_background(
    level: Normalization, stacks: Sequence[Stack], recipe: Recipe
) -> tuple[Normalization, list[NDArray[np.float32]]]:
    """Put zero at the background; return patches on the new scale."""
    patches = _random_patches(stacks, recipe, level)
    dark = background_level(patches)
    moved = Normalization(level.offset + dark * level.scale, level.scale * (1 - dark))
    return moved, [(patch - dark) / (1 - dark) for patch in patches]


def _random_patches(
    stacks: Sequence[Stack], recipe: Recipe, level: Normalization
) -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    largest = LARGEST if recipe.dims == 2 else LARGEST // 2
    shape = tuple(min(2 * n, largest) for n in recipe.patch)
    sampler = PatchSampler(stacks, shape, normalization=level, rng=rng, reflect=True)
    patches = []
    for _ in range(PATCHES):
        heed_stop()
        patches.append(sampler.draw()[0].numpy())
    return patches


def _mean(patches: Sequence[NDArray[np.float32]]) -> float:
    return float(max(np.mean([patch.mean() for patch in patches]), 1e-6))
