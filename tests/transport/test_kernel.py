from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import OpticsError, RecipeError
from napari_blurgan.forward.kernel import make_blur, support_of
from napari_blurgan.forward.start import Start, share_of_light
from napari_blurgan.methods.presets import preset
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.monitoring.events import Started, Stepped, Warned
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel, FreeKernel, SoftmaxKernel
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optics.pupil import PupilKernel
from napari_blurgan.optimisation.prepared import prepare
from napari_blurgan.preparation.site import Known
from napari_blurgan.training.trainer import Trainer

VOXEL = (0.2, 0.1, 0.1)
OPTICS = Optics(0.9, 1.33, 520)
LARGE = (99, 99, 99)


def _blur(recipe: Recipe, start: Start, gain: float) -> BlurKernel:
    return make_blur(recipe.forward, recipe, start, gain)


def _support(recipe: Recipe, start: Start) -> tuple[int, int, int]:
    return support_of(recipe.forward, recipe, start)


@pytest.mark.parametrize(
    ("changes", "kernel"),
    [
        ({"forward.learned": False, "terms.spectral": 0}, FixedKernel),
        ({"forward.parametrisation": "free"}, FreeKernel),
        ({"forward.parametrisation": "softmax"}, SoftmaxKernel),
        ({"forward.parametrisation": "pupil"}, PupilKernel),
        ({"forward.start": "random", "forward.parametrisation": "free"}, FreeKernel),
    ],
)
def test_the_recipe_chooses_the_kernel(
    changes: dict[str, object], kernel: type, tiny: Callable[..., Recipe], psf: Psf
) -> None:
    recipe = tiny("blind").updated(changes)
    blur = _blur(recipe, Start(psf, OPTICS, VOXEL, LARGE), gain=3.0)
    assert isinstance(blur.parametrisation, kernel)
    assert float(blur.gain) == 3


def test_a_psf_on_other_voxels_is_resampled(
    tiny: Callable[..., Recipe], psf: Psf
) -> None:
    coarse = psf.resampled((0.2, 0.2, 0.2))
    blur = _blur(tiny("nonblind"), Start(coarse, None, VOXEL, LARGE), 1.0)
    made = Psf(blur.kernel().numpy(), VOXEL)
    assert made.fwhm() == pytest.approx(psf.fwhm(), rel=0.35)
    assert np.abs(made.centroid()).max() < 0.1


def test_a_kernel_fits_the_images(tiny: Callable[..., Recipe], psf: Psf) -> None:
    start = Start(None, OPTICS, VOXEL, (9, 99, 12))
    assert _support(tiny("blind"), start)[0] == 9
    assert _support(tiny("blind"), start)[2] == 11
    plain = tiny("nonblind", reconstructor__kind="plain")
    assert max(_support(plain, start)) <= 8


def test_a_psf_in_fft_order_on_an_offset_is_mended_and_said_so(
    tiny: Callable[..., Recipe],
    measured: list[Stack],
    unpaired: list[Stack],
    psf: Psf,
) -> None:
    bare = np.round(psf.padded((21, 31, 31)).data / psf.data.max() * 60000)
    given = Psf(np.fft.ifftshift(bare + 500), psf.voxel_size)
    kernels = []
    for known in (Psf(bare, psf.voxel_size), given):
        prepared = prepare(tiny("nonblind"), measured, unpaired, Known(known))
        kernels.append(prepared.transport.forward_model.blur.kernel().detach().numpy())
    mended = [n for n in prepared.notes if n.code == "psf-mended"]
    assert ["FFT order" in n.message for n in mended] == [True, False]
    assert "offset" in mended[1].message
    assert np.corrcoef(kernels[0].ravel(), kernels[1].ravel())[0, 1] > 0.999


@pytest.mark.parametrize("name", ["nonblind", "blind-as-published"])
def test_a_kernel_of_even_size_is_what_was_asked_for(
    name: str,
    tiny: Callable[..., Recipe],
    measured: list[Stack],
    unpaired: list[Stack],
    psf: Psf,
) -> None:
    recipe = tiny(name, forward__size=[10, 8, 8], sampling__patch=16)
    prepared = prepare(recipe, measured, unpaired, Known(psf))
    kernel = prepared.transport.forward_model.blur.kernel().detach()
    assert kernel.shape == (10, 8, 8)
    if name == "nonblind":
        assert np.abs(Psf(kernel.numpy(), VOXEL).centroid()).max() < 0.3
        assert float(kernel[5, 4, 4]) == float(kernel.max())
    events = list(Trainer(recipe, measured, unpaired, psf=psf, steps=2))
    assert all(
        np.isfinite(list(e.losses.values())).all()
        for e in events
        if isinstance(e, Stepped)
    )


@pytest.mark.parametrize(
    ("name", "size", "changes", "said"),
    [
        ("blind", [10, 9, 9], {}, "centred on a voxel"),
        ("blind", [10, 9, 9], {"forward__parametrisation": "softmax"}, "centred"),
        ("nonblind", [41, 9, 9], {}, "voxels at most"),
        ("nonblind", [9, 16, 16], {"reconstructor__kind": "plain"}, "voxels at most"),
        ("nonblind", [9, 9], {}, "one for each axis"),
    ],
)
def test_a_kernel_that_cannot_be_as_asked_is_refused(
    name: str,
    size: list[int],
    changes: dict[str, object],
    said: str,
    tiny: Callable[..., Recipe],
    measured: list[Stack],
    unpaired: list[Stack],
    psf: Psf,
) -> None:
    recipe = tiny(name, forward__size=size, **changes)
    with pytest.raises(RecipeError, match=said):
        prepare(recipe, measured, unpaired, Known(psf))


def test_a_fixed_kernel_that_nobody_knows_is_asked_for(
    tiny: Callable[..., Recipe],
) -> None:
    with pytest.raises(RecipeError, match="needs a known blur"):
        _blur(tiny("nonblind"), Start(None, None, VOXEL, LARGE), 1.0)


def test_sets_that_do_not_match_are_said_to(
    tiny: Callable[..., Recipe], measured: list[Stack]
) -> None:
    """Wide balls for vesicles: no blur turns the one into the other."""
    z, y, x = np.indices((20, 40, 40))
    ball = ((z - 10) ** 2 + (y - 20) ** 2 + (x - 20) ** 2 < 60).astype(np.float32)
    sharp = [Stack(np.roll(ball, n, 2), "ZYX", VOXEL, name=f"b{n}") for n in (0, 9)]
    trainer = Trainer(tiny("blind"), measured, sharp, optics=OPTICS, steps=1)
    events = list(trainer)
    assert any(isinstance(e, Started) for e in events)
    assert any(isinstance(e, Stepped) for e in events)
    codes = {e.code for e in events if isinstance(e, Warned)}
    assert codes & {"mismatched-sets", "unidentified-blur"}


@pytest.mark.parametrize("modality", ["widefield", "lightsheet"])
def test_a_blur_that_the_images_cannot_tell_is_held(
    modality: str, tiny: Callable[..., Recipe], measured: list[Stack]
) -> None:
    """Noise for a sharp set, or a microscope whose PSF is no widefield one."""
    rng = np.random.default_rng(3)
    noise = [Stack(rng.random((20, 40, 40)), "ZYX", VOXEL, name="n")]
    sheet = replace(OPTICS, modality="lightsheet", sheet_thickness=0.4)
    optics = {"widefield": OPTICS, "lightsheet": sheet}[modality]
    recipe = tiny("blind", forward__frozen_steps=0)
    trainer = Trainer(recipe, measured, noise, optics=optics, steps=3)
    events = list(trainer)
    codes = {e.code for e in events if isinstance(e, Warned)}
    assert codes & {"kernel-held", "unidentified-blur"}
    psf = trainer.model().psf
    assert psf is not None
    theory = theoretical_psf(optics, psf.shape, VOXEL)
    np.testing.assert_allclose(psf.data, theory.data, atol=1e-6)
    assert not trainer.model().recipe.forward.learned
    losses = next(e.losses for e in events if isinstance(e, Stepped))
    assert "spectral" not in losses


COARSE = replace(OPTICS, na=1.2)


def test_a_learned_kernel_that_leaves_most_of_the_haze_out_is_said_to(
    tiny: Callable[..., Recipe], psf: Psf
) -> None:
    """In a deep stack most of the light of a plane lies in the cone."""
    rng = np.random.default_rng(0)
    deep = [
        Stack(rng.random((60, 40, 40)), "ZYX", VOXEL, name=f"deep {n}") for n in (1, 2)
    ]

    def said(name: str, **changes: object) -> set[str]:
        recipe = tiny(name, **changes)
        events = Trainer(recipe, deep[:1], deep[1:], optics=COARSE, steps=1)
        return {e.code for e in events if isinstance(e, Warned)}

    learned = {"forward__start": "optics", "weights__spectral": 0}
    assert "truncated-kernel" in said("blind", **learned)
    assert "truncated-kernel" not in said("blind", forward__size=(9, 9, 9), **learned)
    assert "truncated-kernel" not in said("nonblind")
    start = Start(psf, OPTICS, VOXEL, LARGE)
    assert _support(tiny("nonblind"), start) == psf.cropped(energy=0.98).shape


def test_a_known_kernel_holds_the_haze_as_far_as_two_patches_reach(
    tiny: Callable[..., Recipe],
) -> None:
    start = Start(None, OPTICS, VOXEL, (59, 255, 255))
    wide, narrow = (
        _support(tiny("nonblind", sampling__patch=n), start) for n in (64, 16)
    )
    assert share_of_light(start, wide) == pytest.approx(0.98, abs=0.01)
    assert max(narrow) < 2 * 16 <= max(wide)
    blind = tiny("blind", sampling__patch=64)
    assert (share_of_light(start, _support(blind, start)) or 1) < 0.5
    assert _support(blind, replace(start, held=True)) == wide


def test_all_the_light_is_that_within_the_depth_of_the_images() -> None:
    start = Start(None, OPTICS, VOXEL, LARGE)
    assert share_of_light(start, LARGE) == pytest.approx(1)
    assert share_of_light(start, (9, 99, 99)) == pytest.approx(9 / 99, rel=0.3)


@pytest.mark.parametrize("dims", [2, 3])
def test_optics_are_refused_without_a_voxel_size(dims: int) -> None:
    """A PSF on voxels of 1 µm would be no blur at all."""
    light = np.random.default_rng(0).poisson(50, (12, 48, 48)).astype(np.float32)
    image, axes = (light[0], "YX") if dims == 2 else (light, "ZYX")
    stack = Stack(image, axes, name="plain")
    recipe = preset("self-supervised").updated({"dims": dims, "steps": 1})
    with pytest.raises(OpticsError, match=r"plain: .*without the voxel size"):
        list(Trainer(recipe, [stack], [], optics=OPTICS, device="cpu"))
