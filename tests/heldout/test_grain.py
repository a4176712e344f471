"""Which grain is chosen: the one that predicts photons best."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_blurgan import Stack, preset
from napari_blurgan.heldout import settling
from napari_blurgan.heldout.grain import best_grain
from napari_blurgan.heldout.iterations import MOST, best_iterations
from napari_blurgan.heldout.settling import settled
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import FixedKernel
from napari_blurgan.optics.phantoms import phantom
from napari_blurgan.optics.simulation import blur as blurred_by
from napari_blurgan.optics.width import fwhm
from napari_blurgan.preparation.levels import calibrate
from napari_blurgan.preparation.site import Site
from tests.transport.test_settling import NOISE, VOXEL, blur, image

SHAPE = (24, 48, 48)


def region(kind: str, photons: float) -> np.ndarray:
    """Return counts without an offset."""
    seen = blurred_by(phantom(kind, SHAPE, VOXEL, 3), blur().kernel().numpy())
    camera = Camera(photons / float(seen.max()), read_noise=2.0, offset=0.0)
    return camera.expose(seen, 4).astype(np.float32)


def test_smooth_objects_in_little_light_get_coarser_grains_than_fine_ones() -> None:
    nuclei, lines = (region(k, 30) for k in ("nuclei", "microtubules"))
    coarse, fine = (best_grain(r, blur(), NOISE) for r in (nuclei, lines))
    assert coarse > 1.5 * fine


def test_darkness_has_a_grain_no_wider_than_the_blur() -> None:
    dark = np.zeros((8, 24, 24), np.float32)
    width = fwhm(blur().kernel().numpy())[-1]
    assert 0 <= best_grain(dark, blur(), NOISE) < width


@pytest.mark.parametrize("shape", [(1, 3, 3), (3, 1, 1), (1, 5, 1)])
def test_a_blur_that_is_cut_off_before_half_of_its_peak_has_no_grain(
    shape: tuple[int, int, int],
) -> None:
    """Grains are relative to its width, which is not known."""
    cut = BlurKernel(FixedKernel(np.full(shape, 1 / np.prod(shape), np.float32)))
    assert best_grain(region("vesicles", 30), cut, NOISE) == 0.0


def site(**changes: object) -> Site:
    recipe = preset("self-supervised").updated(
        {
            "forward.tolerance": 0.0,
            **{k.replace("__", "."): v for k, v in changes.items()},
        }
    )
    stack = Stack(image(40), "ZYX", VOXEL)
    return Site(
        recipe, [stack], [], VOXEL, calibrate(recipe, [stack], []), forward=blur()
    )


def chosen(recipe: Recipe) -> tuple[int, float]:
    refining = recipe.reconstructor
    assert refining.settled and refining.grain_settled
    return refining.estimate_iterations, refining.estimate_grain


def test_the_iterations_are_those_that_suit_the_grain() -> None:
    found = settled(site())
    iterations, grain = chosen(found.recipe)
    levels = found.calibration
    seen = levels.y.apply(np.asarray(found.y[0].data)[None])[0]
    blurred, noise = found.forward.blur, levels.noise
    assert grain > 0
    assert iterations == best_iterations([seen], blurred, noise, grain)
    assert iterations > best_iterations([seen], blurred, noise)


def test_a_given_grain_is_kept_with_the_iterations_that_suit_it() -> None:
    single, coarse = (
        chosen(settled(site(reconstructor__grain=grain)).recipe) for grain in (0, 1.2)
    )
    assert (single[1], coarse[1]) == (0.0, 1.2)
    assert coarse[0] > single[0]
    given = settled(site(reconstructor__iterations=12))
    assert given.recipe.reconstructor.estimate_iterations == 12
    assert given.recipe.reconstructor.estimate_grain == 0.0


@pytest.mark.parametrize("doubt", ["misfit", "light"])
def test_there_are_no_grains_where_few_iterations_are_allowed_or_all_are_needed(
    doubt: str,
) -> None:
    found = replace(site(), misfit=0.0 if doubt == "light" else 9.0)
    number = MOST if doubt == "light" else 20
    recipe = found.recipe.updated({"reconstructor.iterations": number})
    changed = settling._with_grain(replace(found, recipe=recipe))
    assert chosen(changed.recipe) == (number, 0.0)
