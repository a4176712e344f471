"""Mirrors and turns are drawn only where the blur does not notice them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import RecipeError
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.optics.forward import BlurKernel, NoForward
from napari_blurgan.optics.kernel import FixedKernel, gaussian_kernel
from napari_blurgan.optics.models import Optics, vectorial
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.pupil import PupilKernel
from napari_blurgan.optics.symmetry import Symmetry
from napari_blurgan.optimisation.prepared import prepare
from napari_blurgan.preparation.site import Known

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
    assert (blur or NoForward()).symmetry == Symmetry(mirrors, turns)


def test_patches_are_not_mirrored_along_a_skewed_kernel(
    tiny: Callable[..., Recipe], measured: list[Stack], unpaired: list[Stack]
) -> None:
    skewed = gaussian_kernel((9, 9, 9), (4, 3, 3))
    skewed[6:] *= 4
    prepared = prepare(tiny("nonblind"), measured, unpaired, Known(Psf(skewed, VOXEL)))
    for sampler in prepared.source.samplers:
        assert sampler.augmentation.mirrors == "yx"


@pytest.mark.parametrize("views", [["xz", "yz"], ["xz"], ["xy", "yz"]])
def test_sections_along_z_keep_z_upright(
    tiny: Callable[..., Recipe], views: list[str]
) -> None:
    rng = np.random.default_rng(0)
    steps = np.arange(48.0)[:, None, None] + rng.uniform(size=(48, 48, 48))
    volume = Stack((steps / 49).astype(np.float32), "ZYX", (0.1,) * 3, name="steps")
    recipe = tiny("isotropic", sampling__views=views, sampling__held_out=0.0)
    prepared = prepare(recipe, [volume], [volume])
    sections, planes = prepared.source.samplers
    for sampler in (sections, planes):
        for _ in range(60):
            place, patch = sampler.draw_with_place()
            view = views[place.stack] if sampler is sections else "xy"
            rows, columns = (np.gradient(patch[0], axis=n).mean() for n in (0, 1))
            assert abs(columns) < 0.1 * abs(rows) or view == "xy"
            assert rows > 0 or view == "xy"
            assert place.transform.quarter_turns == 0


def test_planes_of_a_transformation_are_turned_as_before(
    tiny: Callable[..., Recipe],
) -> None:
    rng = np.random.default_rng(0)
    planes = [Stack(rng.uniform(size=(48, 48)), "YX", name=n) for n in "ab"]
    sampler = prepare(tiny("utom"), planes[:1], planes[1:]).source.samplers[0]
    turns = {sampler.draw_with_place()[0].transform.quarter_turns for _ in range(60)}
    assert turns == {0, 1, 2, 3}


def test_sections_along_z_are_not_rotated(tiny: Callable[..., Recipe]) -> None:
    with pytest.raises(RecipeError, match=r"sampling\.rotation"):
        tiny("isotropic", sampling__rotation=10.0)


def test_sections_along_z_are_doubted_before_training(
    tiny: Callable[..., Recipe],
) -> None:
    rng = np.random.default_rng(0)
    a, b = (
        Stack(rng.uniform(size=(48, 48, 48)), "ZYX", (0.1,) * 3, name=n) for n in "ab"
    )

    def codes(name: str) -> set[str]:
        recipe = tiny(name, sampling__held_out=0.0)
        return {note.code for note in prepare(recipe, [a], [b]).notes}

    assert "sections-along-z" in codes("isotropic")
    assert "sections-along-z" not in codes("utom")
