"""Mirrors and turns are drawn only where the blur does not notice them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from napari_blurgan.data.stack import Stack
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel, gaussian_kernel
from napari_blurgan.optics.models import Optics, vectorial
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.pupil import PupilKernel
from napari_blurgan.transport.preparation import prepare
from napari_blurgan.transport.recipe import Recipe
from napari_blurgan.transport.symmetry import Symmetry, symmetry_of

VOXEL = (0.2, 0.1, 0.1)


def fixed(values: np.ndarray) -> BlurKernel:
    return BlurKernel(FixedKernel(values))


def pupil(*aberrations: str) -> BlurKernel:
    return BlurKernel(
        PupilKernel(
            (9, 9, 9),
            VOXEL,
            na=0.9,
            ni=1.33,
            wavelength=520,
            aberrations=aberrations,
        )
    )


def deep() -> np.ndarray:
    optics = Optics(na=1.4, ni=1.515, wavelength=525, ns=1.33, depth=5.0)
    return vectorial(optics, (25, 15, 15), VOXEL).data


@pytest.mark.parametrize(
    ("blur", "mirrors", "turns"),
    [
        (fixed(gaussian_kernel((9, 9, 9), (5, 3, 3))), "zyx", True),
        (fixed(gaussian_kernel((9, 9, 9), (5, 3, 5))), "zyx", False),
        (fixed(deep()), "yx", True),
        (fixed(np.arange(27.0).reshape(3, 3, 3)), "", False),
        (pupil(), "zyx", True),
        (pupil("spherical"), "yx", True),
        (pupil("coma-x"), "", False),
        (None, "zyx", True),
    ],
)
def test_what_a_blur_does_not_notice(
    blur: BlurKernel | None, mirrors: str, turns: bool
) -> None:
    assert symmetry_of(blur) == Symmetry(mirrors, turns)


def test_patches_are_not_mirrored_along_a_skewed_kernel(
    tiny: Callable[..., Recipe], measured: list[Stack], unpaired: list[Stack]
) -> None:
    skewed = gaussian_kernel((9, 9, 9), (4, 3, 3))
    skewed[6:] *= 4
    prepared = prepare(tiny("nonblind"), measured, unpaired, Psf(skewed, VOXEL))
    for sampler in (prepared.y, prepared.x):
        assert sampler.augmentation.mirrors == "yx"
