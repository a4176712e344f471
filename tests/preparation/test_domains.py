"""What is checked of the two sets before a training."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan import preset
from napari_blurgan.axes import VoxelSize
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError, RecipeError
from napari_blurgan.preparation.domains import (
    check_domains,
    check_fit,
    common_voxel_size,
)

RECIPE = preset("blind").updated({"sampling.patch": 16})


def image(voxel: VoxelSize, seed: int) -> Stack:
    pixels = np.random.default_rng(seed).poisson(50, (16, 24, 24)).astype(np.float32)
    return Stack(pixels, "ZYX", voxel, name=f"image {seed}")


@pytest.mark.parametrize(
    ("sharp", "told"),
    [
        ((0.3, 0.1, 0.1), False),
        ((0.3, 0.101, 0.1), False),
        ((None, 0.1, 0.1), False),
        ((None, None, None), False),
        ((0.3, 0.2, 0.2), True),
        ((0.6, 0.1, 0.1), True),
        ((None, 100.0, 100.0), True),
    ],
)
def test_sets_of_different_voxels_are_reported(sharp: VoxelSize, told: bool) -> None:
    blurred, fitting = image((0.3, 0.1, 0.1), 0), image((0.3, 0.1, 0.1), 1)
    notes = check_domains(RECIPE, [blurred], [fitting, image(sharp, 2)]).notes
    found = [note for note in notes if note.code == "other-voxels"]
    assert len(found) == told
    for note in found:
        assert "0.3 × 0.1 × 0.1 µm" in note.message
        assert str(sharp[2]).removesuffix(".0") in note.message


def test_blurred_images_of_different_voxels_are_refused() -> None:
    one, other = image((0.3, 0.1, 0.1), 0), image((0.3, 0.2, 0.2), 1)
    with pytest.raises(DataError, match="resample them, or train one model for each"):
        common_voxel_size([one, other])


def test_what_adds_to_its_input_needs_as_many_channels() -> None:
    """One channel would be added to each of two, without a word."""
    grey = Stack(np.zeros((24, 64, 64), np.float32), "ZYX", (0.3, 0.1, 0.1))
    two = Stack(np.zeros((2, 24, 64, 64), np.float32), "CZYX", (0.3, 0.1, 0.1))
    recipe = preset("isotropic")
    check_fit(recipe, [grey], [grey])
    with pytest.raises(RecipeError, match="found 1 and 2; set it to false"):
        check_fit(recipe, [grey], [two])
    alone = recipe.updated({"reconstructor.residual": False})
    check_fit(alone, [grey], [two])
