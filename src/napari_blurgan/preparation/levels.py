"""Grey levels of the two data sets: zero, brightness and noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.data.complex_numbers import as_complex
from napari_blurgan.data.normalize import Normalization, robust_normalization
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.interruption import heed_stop
from napari_blurgan.methods.parts import PAIRS, WAY_BACK
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.preparation.calibration import (
    Calibration,
    NoiseModel,
    background_level,
    estimate_noise,
)
from napari_blurgan.sampling.patches import PatchSampler, sampler_of

__all__ = ["calibrate", "magnitudes"]

PATCHES = 48
"""Number of patches for measuring background, noise and gain."""

IMAGES = 192
"""Number of images for the scale of complex ones."""

LARGEST = 128
"""Largest size of such a patch along one axis for planes; half of it for volumes. More
voxels improve nothing and take seconds."""


def calibrate(recipe: Recipe, y: Sequence[Stack], x: Sequence[Stack]) -> Calibration:
    """Measure levels, gain and noise of both data sets.

    Without sharp images, x is assumed to have the scale of y.
    """
    if recipe.values == "complex":
        return _complex_levels(recipe, y, x)
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


def _complex_levels(
    recipe: Recipe, y: Sequence[Stack], x: Sequence[Stack]
) -> Calibration:
    """Return levels without an offset, which no linear H would keep.

    Both domains are divided by the standard deviation of their magnitudes, as by Sim et
    al. (2020). The gain is that of the means, to which every k-space mask leads: it
    keeps the middle of k-space.
    """
    level_y, mean_y = magnitudes(recipe, y)
    level_x, mean_x = magnitudes(recipe, x) if x else (level_y, mean_y)
    alike = WAY_BACK in recipe.offers and recipe.forward.photometric
    gain = mean_y / max(mean_x, 1e-6) if alike else 1.0
    flux = Normalization(0.0, level_y.scale * gain)
    return Calibration(
        level_y, level_x, gain, NoiseModel(0.0, 0.0), flux if alike else level_x
    )


def magnitudes(recipe: Recipe, stacks: Sequence[Stack]) -> tuple[Normalization, float]:
    """Return the scale of complex images, and their mean in that unit.

    Both are root mean squares over images drawn at random: of the standard deviation of
    the magnitude, and of the magnitude of the mean.

    Raises
    ------
    DataError
        If the magnitude is the same everywhere.
    """
    sampler = sampler_of(recipe.sampling.whole)(
        stacks,
        recipe.patch,
        normalization=Normalization(0.0, 1.0),
        rng=np.random.default_rng(0),
        reflect=True,
    )
    spreads, means = [], []
    for _ in range(IMAGES):
        heed_stop()
        image = as_complex(sampler.draw().numpy())
        spreads.append(np.abs(image).std())
        means.append(np.abs(image.mean()))
    spread, mean = (float(np.sqrt(np.square(v).mean())) for v in (spreads, means))
    if spread <= 0:
        raise DataError(
            f"{stacks[0].name}: the magnitude is the same everywhere, expected images"
        )
    return Normalization(0.0, spread), mean / spread


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
