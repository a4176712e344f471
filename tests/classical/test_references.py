"""Sharp references, and the part of each stack left for training."""

from __future__ import annotations

import numpy as np
import pytest

from napari_blurgan import Optics, Psf, Stack
from napari_blurgan.classical.references import cut, make_sharp_references
from napari_blurgan.errors import BlurGANError

PSF = Psf.from_optics(Optics(0.8, 1.33, 520), (0.3, 0.1, 0.1), (5, 9, 9))
IMAGE = Stack(
    np.random.default_rng(0).poisson(50, (6, 20, 60)).astype(np.float32),
    "ZYX",
    (0.3, 0.1, 0.1),
    name="cell",
)


@pytest.mark.parametrize("last", [False, True])
def test_the_parts_are_as_far_apart_as_the_psf_is_wide(last: bool) -> None:
    sharp, rest = cut(IMAGE, PSF.shape, 0.5, last)
    one, other = (sharp, rest) if not last else (rest, sharp)
    assert other[-1].start - one[-1].stop == 9
    assert one[-1].start == 0
    assert other[-1].stop in (60, None)


def test_one_part_is_deconvolved_and_the_other_untouched() -> None:
    (found,) = make_sharp_references([IMAGE], PSF, "rl", iterations=3)
    rest = np.asarray(found.blurred.data)
    width = rest.shape[-1]
    np.testing.assert_array_equal(rest, np.asarray(IMAGE.data)[..., -width:])
    assert found.sharp.data.shape[-1] + width + 9 == 60


def test_a_stack_that_is_too_small_is_refused() -> None:
    small = IMAGE.with_data(np.asarray(IMAGE.data)[:, :10, :10])
    with pytest.raises(BlurGANError, match="larger stacks"):
        make_sharp_references([small], PSF)
