"""The most likely optics: half of the photons tell them from wrong ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_blurgan.errors import OpticsError
from napari_blurgan.heldout.likely import Likely, MostLikely, with_value
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.simulation import blur as blurred_by
from napari_blurgan.preparation.calibration import NoiseModel

VOXEL = (0.16, 0.08, 0.08)
TRUE = Optics(1.2, 1.33, 525)
NOISE = NoiseModel(1.0, 4.0)
INTERVAL = (0.9, 1.31)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def blur_of(optics: Optics) -> BlurKernel:
    psf = theoretical_psf(optics, (25, 25, 25), VOXEL, "gibson-lanni")
    return BlurKernel(FixedKernel(psf.data))


def counts(photons: float, seed: int = 3, optics: Optics = TRUE) -> np.ndarray:
    """Return the middle of a field, because light comes from beyond, too."""
    truth = phantom("microtubules", (48, 80, 80), VOXEL, seed)
    seen = blurred_by(truth, blur_of(optics).kernel().numpy())
    camera = Camera(photons / float(np.percentile(seen, 99.95)), read_noise=2.0)
    return camera.expose(seen, 4).astype(np.float32)[12:-12, 16:-16, 16:-16]


def searched(given: Optics, *regions: np.ndarray) -> tuple[Optics, Likely]:
    found, likely = MostLikely(regions, NOISE, given, blur_of).search({"na": INTERVAL})
    return found, likely["na"]


@pytest.mark.parametrize("na", [1.05, 1.31])
def test_too_small_and_too_large_an_aperture_are_corrected(na: float) -> None:
    found, one = searched(replace(TRUE, na=na), counts(1000))
    assert one.told and one.given == na and found.na == one.value != na
    assert found.na == pytest.approx(TRUE.na, abs=0.045)
    assert INTERVAL[0] < one.least < one.most < INTERVAL[1]
    assert one.least <= one.best <= one.most


def test_the_right_aperture_is_kept_as_it_was_given() -> None:
    found, one = searched(TRUE, counts(400))
    assert not one.told
    assert found == TRUE
    assert one.least <= TRUE.na <= one.most


def test_what_dim_images_do_not_contradict_is_kept() -> None:
    given = replace(TRUE, na=1.1)
    found, one = searched(given, counts(20))
    assert not one.told
    assert found == given
    assert one.most - one.least > 0.2


def test_several_fields_contradict_what_one_does_not() -> None:
    given = replace(TRUE, na=1.1)
    fields = [counts(100, seed) for seed in (3, 4, 5)]
    assert not searched(given, fields[0])[1].told
    assert searched(given, *fields)[1].told


def test_an_image_without_light_contradicts_nothing() -> None:
    found, one = searched(TRUE, np.zeros((8, 16, 16), np.float32))
    assert found == TRUE and not one.told
    assert (one.least, one.most) == INTERVAL


def test_of_two_parameters_each_is_found() -> None:
    sheet = Optics(1.0, 1.33, 525, "lightsheet", sheet_thickness=0.8)
    given = replace(sheet, na=0.9, sheet_thickness=1.1)
    search = MostLikely([counts(1000, 3, sheet)], NOISE, given, blur_of)
    intervals = {"na": (0.8, 1.2), "sheet_thickness": (0.4, 1.4)}
    found, likely = search.search(intervals)
    assert found.na > 0.96
    assert found.sheet_thickness == pytest.approx(0.8, abs=0.15)
    assert all(one.told for one in likely.values())


def test_a_value_that_optics_refuse_is_refused() -> None:
    with pytest.raises(OpticsError, match="aperture"):
        with_value(TRUE, "na", 1.4)
