"""The samples: real ones as promised in their README, simulated ones reproducible."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import napari_blurgan
from napari_blurgan.errors import DataError
from napari_blurgan.tasks.samples import (
    SAMPLES,
    bead_sample,
    microtubule_sample,
    sample,
)

FOLDER = Path(napari_blurgan.__file__).parent / "samples"


def test_the_dna_pair_has_its_channels_and_geometry() -> None:
    stack = sample("dna")
    assert (stack.axes, stack.data.shape) == ("ZCYX", (45, 2, 130, 133))
    assert stack.channel_names == ("confocal", "widefield")
    assert stack.voxel_size == pytest.approx((0.49941, 0.51188, 0.51188), abs=1e-5)
    confocal, widefield = stack.frame()
    correlation = np.corrcoef(confocal.ravel(), widefield.ravel())[0, 1]
    assert correlation == pytest.approx(0.53, abs=0.01)


def test_the_yeast_has_its_geometry() -> None:
    stack = sample("yeast")
    assert (stack.axes, stack.data.shape) == ("ZYX", (17, 112, 176))
    assert stack.voxel_size == pytest.approx((0.25, 0.0655, 0.0655))


@pytest.mark.parametrize("name", SAMPLES)
def test_each_sample_says_whose_it_is(name: str) -> None:
    provenance = sample(name).metadata["provenance"]
    assert provenance["licence"] == "CC BY 4.0"
    assert {"credit", "source", "changes"} <= set(provenance)
    assert f"`{name}.ome.tif`" in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_samples_stay_small() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 3e6


def test_unknown_samples_name_the_known_ones() -> None:
    with pytest.raises(DataError, match="no sample 'cat'; there are dna, yeast"):
        sample("cat")


def test_microtubules_come_sharp_and_blurred() -> None:
    sharp, blurred, psf = microtubule_sample((8, 48, 48), seed=1)
    assert sharp.data.shape == blurred.data.shape == (8, 48, 48)
    assert sharp.voxel_size == blurred.voxel_size == psf.voxel_size
    assert np.corrcoef(sharp.data.ravel(), blurred.data.ravel())[0, 1] > 0.3
    again = microtubule_sample((8, 48, 48), seed=1)[1]
    np.testing.assert_array_equal(blurred.data, again.data)


def test_beads_stand_out_of_the_noise() -> None:
    stack = bead_sample((16, 64, 64))
    assert stack.data.max() > 100 + 20 * np.median(np.abs(stack.data - 100))
