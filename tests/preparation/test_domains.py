"""What is checked of the two sets before a training."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan import preset
from napari_blurgan.axes import VoxelSize
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.preparation.domains import check_domains, common_voxel_size

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
