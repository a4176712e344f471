"""The thickness of the sample around a plane, found in photons that were held out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import fftconvolve

from napari_blurgan.heldout.thickness import best_thickness
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.preparation.calibration import NoiseModel

VOXEL = (0.15, 0.1, 0.1)
DEEP = theoretical_psf(Optics(1.2, 1.33, 520), (27, 41, 41), VOXEL)
NOISE = NoiseModel(1.0, 4.0)
TRIED = (0.0, 0.6, 1.2, 1.8, 2.7)


def blurs() -> dict[float, BlurKernel]:
    return {t: BlurKernel(FixedKernel(DEEP.projected(t).data), dims=2) for t in TRIED}


def plane(thickness: float, photons: float = 400, side: int = 96) -> np.ndarray:
    """Return the image, without offset, of the middle plane of a thick sample."""
    sample = phantom("nuclei", (27, side, side), VOXEL, 3, diameter=2.0)
    away = round(thickness / 2 / VOXEL[0])
    places = range(13 - away, 14 + away)
    seen = sum(
        fftconvolve(sample[k], DEEP.data[26 - k], mode="same").clip(min=0)
        for k in places
    )
    camera = Camera(photons / float(np.max(seen)), read_noise=2.0, offset=0.0)
    return camera.expose(seen, 4).astype(np.float32)


def test_a_thick_sample_is_found_to_be_thick() -> None:
    assert 0.5 < best_thickness(plane(3.6, side=224), blurs(), NOISE) <= 3.6


def test_a_thin_sample_keeps_the_psf_in_focus() -> None:
    assert best_thickness(plane(0.0), blurs(), NOISE) == 0


def test_a_dark_image_keeps_the_psf_in_focus() -> None:
    dark = np.zeros((32, 32), np.float32)
    assert best_thickness(dark, blurs(), NOISE) == 0


@pytest.mark.parametrize("thickness", [0.0, 1.2])
def test_what_is_the_only_choice_is_chosen(thickness: float) -> None:
    only = {thickness: blurs()[thickness]}
    assert best_thickness(plane(1.2), only, NOISE) == thickness
