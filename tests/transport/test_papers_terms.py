"""What the papers' terms do to a learned kernel, and those of UTOM's Table 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import RecipeError
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.monitoring.events import KernelUpdated, Stepped
from napari_blurgan.optics.psf import Psf
from napari_blurgan.tasks.restore import restore
from napari_blurgan.training.trainer import Trainer

OFF = {
    "adversarial_x": 0.0,
    "adversarial_y": 0.0,
    "cycle_x": 0.0,
    "cycle_y": 0.0,
    "spectral": 0.0,
}


@pytest.mark.parametrize(
    ("name", "term", "moves"),
    [
        ("blind", "cycle_x", False),
        ("blind", "adversarial_x", False),
        ("blind", "cycle_y", True),
        ("blind", "spectral", True),
        ("blind-two-discriminators", "cycle_x", True),
        ("blind-two-discriminators", "adversarial_x", False),
        ("blind-two-discriminators", "adversarial_y", True),
        ("blind-two-discriminators", "cycle_y", True),
    ],
)
def test_which_terms_move_a_learned_kernel(
    name: str,
    term: str,
    moves: bool,
    tiny: Callable[..., Recipe],
    measured: list[Stack],
    unpaired: list[Stack],
    psf: Psf,
) -> None:
    weights = {f"weights.{key}": value for key, value in (OFF | {term: 1.0}).items()}
    recipe = tiny(name, forward__frozen_steps=0, forward__start="psf").updated(weights)
    events = list(Trainer(recipe, measured, unpaired, psf=psf, steps=4, device="cpu"))
    first, *_, last = [e.psf.data for e in events if isinstance(e, KernelUpdated)]
    assert bool(np.abs(last - first).max() > 0) == moves


def terms_of(recipe: Recipe, a: list[Stack], b: list[Stack]) -> dict[str, float]:
    events = Trainer(recipe, a, b, steps=1, device="cpu")
    return next(event.losses for event in events if isinstance(event, Stepped))


@pytest.fixture
def planes() -> tuple[list[Stack], list[Stack]]:
    rng = np.random.default_rng(0)
    a, b = (Stack(rng.uniform(size=(48, 48)), "YX", name=n) for n in "ab")
    return [a], [b]


def test_the_rows_of_table_1_of_utom_train(
    tiny: Callable[..., Recipe], planes: tuple[list[Stack], list[Stack]]
) -> None:
    cyclegan: dict[str, Any] = {"weights__saliency": 0.0}
    plain = terms_of(tiny("utom", **cyclegan), *planes)
    identity = terms_of(
        tiny("utom", **cyclegan, weights__identity=5.0, weights__identity_y=5.0),
        *planes,
    )
    assert identity.keys() - plain.keys() == {"identity", "identity_y"}
    assert identity["identity_y"] > 0
    matched = terms_of(tiny("utom", **cyclegan, discriminator__quantiles=16), *planes)
    assert matched["discriminator_x"] != plain["discriminator_x"]


def test_the_identity_of_a_blur_is_refused(tiny: Callable[..., Recipe]) -> None:
    with pytest.raises(RecipeError, match="identity_y needs a network"):
        tiny("nonblind", weights__identity_y=1.0)


def test_a_conventional_cyclegan_keeps_the_sign_of_the_contrast(
    tiny: Callable[..., Recipe], measured: list[Stack], unpaired: list[Stack]
) -> None:
    """Its cycles are as good when both networks invert: the identity losses tell."""
    recipe = tiny("cyclegan", optimiser__generator_rate=3e-3)
    trainer = Trainer(recipe, measured, unpaired, steps=40, device="cpu")
    list(trainer)
    restored = np.asarray(restore(trainer.model(), measured[0]).data)
    agreement = np.corrcoef(restored.ravel(), np.asarray(measured[0].data).ravel())
    assert agreement[0, 1] > 0.55
