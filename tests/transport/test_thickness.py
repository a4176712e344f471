"""A plane of a thick sample is trained with the light of what surrounds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_blurgan import Psf, Stack, Trainer, preset
from napari_blurgan.errors import RecipeError
from napari_blurgan.forward.start import Start
from napari_blurgan.forward.thickness import thickened
from napari_blurgan.models.model import Model
from napari_blurgan.monitoring.events import Finished, Warned
from napari_blurgan.optics.models import Optics
from napari_blurgan.preparation.levels import calibrate
from napari_blurgan.preparation.site import Site
from tests.heldout import test_thickness
from tests.heldout.test_thickness import DEEP, VOXEL

OPTICS = Optics(1.2, 1.33, 520)
SMALL = {"reconstructor.base": 4, "sampling.patch": 16, "precision": "float32"}


def plane(thickness: float) -> np.ndarray:
    """Return a plane with enough pixels to tell its thickness."""
    return test_thickness.plane(thickness, side=224)


def stack(image: np.ndarray) -> Stack:
    return Stack(100 + image, "YX", (None, *VOXEL[1:]), "plane")


def trained(
    image: np.ndarray,
    known: Psf | Optics = OPTICS,
    out: Path | None = None,
    **changes: object,
) -> tuple[Model, list[Warned]]:
    """Train a few steps; return the model and what was noticed."""
    options: dict[str, Any] = SMALL | {"dims": 2, "steps": 2, "forward.tolerance": 0}
    options |= {name.replace("__", "."): value for name, value in changes.items()}
    recipe = preset("self-supervised").updated(options)
    given: dict[str, Any] = {"optics" if isinstance(known, Optics) else "psf": known}
    trainer = Trainer(
        recipe, [stack(image)], [], out, device="cpu", resume=out is not None, **given
    )
    events = list(trainer)
    assert isinstance(events[-1], Finished)
    return events[-1].model, [e for e in events if isinstance(e, Warned)]


def is_wider(model: Model, other: Model) -> bool:
    assert model.psf is not None and other.psf is not None
    return float(model.psf.data.max()) < 0.98 * float(other.psf.data.max())


@pytest.mark.parametrize("known", [OPTICS, DEEP], ids=["optics", "PSF"])
def test_the_thickness_is_found_said_and_kept(known: Psf | Optics) -> None:
    image = plane(3.6)
    model, notes = trained(image, known)
    found = model.recipe.forward.thickness
    (said,) = [note for note in notes if note.code == "thick-sample"]
    assert said.figures["thickness"] == pytest.approx(found)
    assert 0.3 < found <= 3.6
    assert is_wider(model, trained(image, known, forward__thickness=0)[0])


def test_a_thin_sample_is_trained_with_the_psf_in_focus() -> None:
    model, notes = trained(plane(0.0))
    assert "thick-sample" not in {note.code for note in notes}
    assert not is_wider(model, trained(plane(0.0), forward__thickness=0)[0])


def test_a_training_goes_on_with_the_blur_that_was_found(tmp_path: Path) -> None:
    folder = tmp_path / "thick.blurgan"
    first, _ = trained(plane(3.6), out=folder)
    again, _ = trained(plane(3.6), out=folder, steps=4)
    assert again.recipe.forward.thickness == first.recipe.forward.thickness
    assert first.psf is not None and again.psf is not None
    np.testing.assert_array_equal(again.psf.data, first.psf.data)


def test_the_thickness_of_a_volume_is_refused() -> None:
    recipe = preset("self-supervised").updated({"forward.thickness": 2.0})
    light = np.random.default_rng(0).poisson(50, (12, 48, 48)).astype(np.float32)
    volume = Stack(light, "ZYX", VOXEL)
    with pytest.raises(RecipeError, match="single plane"):
        list(Trainer(recipe, [volume], [], optics=OPTICS, device="cpu"))


def test_a_psf_of_one_plane_has_no_thickness() -> None:
    flat = Psf(DEEP.data[13:14], VOXEL)
    assert trained(plane(3.6), flat)[0].recipe.forward.thickness == "auto"
    with pytest.raises(RecipeError, match="several planes"):
        trained(plane(3.6), flat, forward__thickness=1.0)


def test_a_learned_blur_needs_no_thickness() -> None:
    with pytest.raises(RecipeError, match=r"forward\.thickness"):
        preset("blind").updated({"forward.thickness": 1.0})


def test_a_given_thickness_is_summed_over() -> None:
    recipe = preset("self-supervised").updated({"dims": 2, "forward.thickness": 1.2})
    seen = stack(test_thickness.plane(1.2))
    site = Site(recipe, [seen], [], seen.voxel_size, calibrate(recipe, [seen], []))
    start = Start(DEEP, None, VOXEL, (96, 96))
    thick, estimated = thickened(recipe.forward, start, site)
    assert estimated is None and thick.psf is not None
    np.testing.assert_array_equal(thick.psf.data, DEEP.projected(1.2).data)
