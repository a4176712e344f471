"""How far a blur reaches, found in photons that no restoration has seen."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan.heldout.reach import best_reach
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.optics.models import Optics, support_shape, theoretical_psf
from tests.transport.test_settling import NOISE, OFFSET, VOXEL, image

pytestmark = pytest.mark.slow

OPTICS = Optics(1.2, 1.33, 520)
CORE = support_shape(OPTICS, VOXEL)
WHOLE = (23, 31, 31)


@pytest.fixture(scope="module")
def whole() -> BlurKernel:
    """Return a blur with most of its cone of light."""
    return BlurKernel(FixedKernel(theoretical_psf(OPTICS, WHOLE, VOXEL).data))


def field(blur: BlurKernel) -> np.ndarray:
    return image(400, blur, (24, 40, 40)) - np.float32(OFFSET)


def test_a_blur_that_was_cut_is_found_to_end(whole: BlurKernel) -> None:
    starts = [(n - k) // 2 for n, k in zip(WHOLE, CORE, strict=True)]
    core = tuple(slice(s, s + k) for s, k in zip(starts, CORE, strict=True))
    seen = field(whole.holding(whole.kernel()[core]))
    assert best_reach(seen, whole, NOISE, CORE) == CORE


def test_a_blur_that_was_not_cut_keeps_its_light(whole: BlurKernel) -> None:
    assert best_reach(field(whole), whole, NOISE, CORE) == WHOLE


def test_a_dark_image_leaves_it_whole(whole: BlurKernel) -> None:
    dark = np.zeros((12, 16, 16), np.float32)
    assert best_reach(dark, whole, NOISE, CORE) == WHOLE
