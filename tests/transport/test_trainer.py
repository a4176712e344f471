"""What a training tells, and that it teaches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.image import imread

from napari_blurgan.methods.presets import PRESETS
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models.model import load_model
from napari_blurgan.monitoring.events import (
    Checkpointed,
    Event,
    Finished,
    KernelUpdated,
    Preparing,
    Previewed,
    Started,
    Stepped,
)
from napari_blurgan.optics.psf import Psf
from napari_blurgan.training.trainer import Trainer
from tests.support.trainings import Domains, content_of, losses_of

ACTIVE = {
    "blind": {"adversarial_x", "cycle_y", "cycle_x", "spectral"},
    "blind-two-discriminators": {
        *("adversarial_x", "adversarial_y", "cycle_y", "cycle_x"),
    },
    "nonblind": {"adversarial_x", "cycle_y", "cycle_x"},
    "half": {"adversarial_x", "cycle_y"},
    "cyclegan": {
        *("adversarial_x", "adversarial_y", "cycle_y", "cycle_x"),
        *("identity", "identity_y"),
    },
    "supervised": {"supervised"},
    "utom": {"adversarial_x", "adversarial_y", "cycle_y", "cycle_x", "saliency"},
    "utom-as-published": {
        *("adversarial_x", "adversarial_y", "cycle_y", "cycle_x", "saliency"),
    },
    "isotropic": {"adversarial_x", "adversarial_y", "cycle_y", "cycle_x", "saliency"},
    "blind-as-published": {
        *("adversarial_x", "adversarial_y", "cycle_y", "cycle_x", "kernel_l1"),
    },
    "nonblind-as-published": {"adversarial_x", "cycle_y", "cycle_x"},
    "axial-subsampling": {"adversarial_x", "cycle_y", "cycle_x"},
    "noise2noise": {"supervised"},
    "noise2self": {"masked"},
    "noise2void": {"masked"},
    "divnoising": {"likelihood", "divergence"},
    "self-supervised": {"remeasured", "bootstrap"},
    "auto": {"remeasured", "bootstrap"},
    "three-way": {"adversarial_planes", "cycle_y", "cycle_x"},
    "mri": {"adversarial_x", "cycle_y", "cycle_x"},
    "mri-half": {"adversarial_x", "cycle_y"},
    "mri-cyclegan": {"adversarial_x", "adversarial_y", "cycle_y", "cycle_x"},
    "mri-supervised": {"supervised"},
    "mri-as-published": {"adversarial_x", "cycle_y", "cycle_x"},
    "ssdu": {"predicted"},
    "mri-ambient": {"adversarial_remeasured", "cycle_y"},
    "ambient": {"adversarial_remeasured", "cycle_y"},
}


# The others: cycle_x.
FALLS = {
    "supervised": "supervised",
    "half": "cycle_y",
    "noise2noise": "supervised",
    "noise2self": "masked",
    "noise2void": "masked",
    "divnoising": "likelihood",
    "mri-half": "cycle_y",
    "mri-ambient": "cycle_y",
    "mri-supervised": "supervised",
    "ssdu": "predicted",
}


JUDGED = ("self-supervised", "auto", "ambient")
"""Their loss is the noise of unseen photons but for a hundredth: whether something was
learned is judged on others, and the better of network and estimate is kept."""


def first_after_preparing(events: list[Event]) -> type:
    before = (Preparing, Previewed)
    return next(type(e) for e in events if not isinstance(e, before))


def test_a_wasserstein_training_tells_the_slopes_of_its_potentials(
    tiny: Callable[..., Recipe], domains: Callable[[str], Domains], psf: Psf
) -> None:
    recipe = tiny("nonblind", adversary__loss="wgan-gp", adversary__steps=2)
    events = list(Trainer(recipe, *domains("nonblind"), psf=psf, steps=2))
    for losses in losses_of(events):
        assert 0 < losses["slope_x"] < 10
        assert losses["discriminator_x"] != 0


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_trains_its_own_terms_and_lowers_them(
    name: str, tiny: Callable[..., Recipe], domains: Callable[[str], Domains], psf: Psf
) -> None:
    # An estimate is all that the half cycle asks for: only without one can it learn.
    # Sets as small as these tell no blur: it would be held, unless one insists.
    needs = {
        "half": {"reconstructor__kind": "plain"},
        "mri-half": {"reconstructor__kind": "plain"},
        "mri-ambient": {"reconstructor__kind": "plain"},
        "three-way": {"forward__width": 4.0, "reconstructor__kind": "plain"},
        "blind": {"forward__start": "psf"},
    }
    recipe = tiny(
        name, optimiser__generator_rate=3e-3, **needs.get(name, content_of(name))
    )
    events = list(Trainer(recipe, *domains(name), psf=psf, steps=50, device="cpu"))
    losses = losses_of(events)
    told = ("discriminator", "slope")
    terms = {key for key in losses[0] if not key.startswith(told)}
    assert terms == ACTIVE[name]
    finished = events[-1]
    assert isinstance(finished, Finished)
    if name in JUDGED:
        unseen = finished.model.provenance["unseen"]
        assert unseen["error"] <= unseen["of_estimate"]
    else:
        term = FALLS.get(name, "cycle_x")
        start, end = (
            np.mean([row[term] for row in part]) for part in (losses[:12], losses[-12:])
        )
        assert end < start
    assert first_after_preparing(events) is Started


def test_the_events_of_a_training(
    tiny: Callable[..., Recipe],
    domains: Callable[[str], Domains],
    psf: Psf,
    tmp_path: Path,
) -> None:
    out = tmp_path / "a.blurgan"
    y, x = domains("nonblind")
    events = list(Trainer(tiny("nonblind"), y, x, out, psf=psf, steps=3))
    kinds = [type(event) for event in events]
    assert kinds.count(Stepped) == 3
    assert {Started, KernelUpdated, Previewed, Checkpointed, Finished} <= set(kinds)
    assert [e.step for e in events if isinstance(e, Stepped)] == [1, 2, 3]
    preview = next(e for e in events if isinstance(e, Previewed))
    assert imread(out / "preview.png").shape[1] > 2 * preview.before.shape[-1]
    assert preview.before.shape == preview.after.shape
    corner = tuple(
        slice(c, c + n)
        for c, n in zip(preview.corner, preview.before.shape[1:], strict=True)
    )
    np.testing.assert_allclose(
        preview.before[0], y[0].data[corner], rtol=1e-4, atol=0.1
    )


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_teaches_too(
    precision: str,
    tiny: Callable[..., Recipe],
    domains: Callable[[str], Domains],
    psf: Psf,
) -> None:
    recipe = tiny("nonblind", precision=precision, optimiser__generator_rate=3e-3)
    losses = losses_of(
        list(Trainer(recipe, *domains("nonblind"), psf=psf, steps=60, device="cpu"))
    )
    start, end = (
        np.mean([row["cycle_x"] for row in part])
        for part in (losses[:15], losses[-15:])
    )
    assert end < start


def test_a_saved_model_does_what_the_trained_one_does(
    tiny: Callable[..., Recipe],
    domains: Callable[[str], Domains],
    psf: Psf,
    tmp_path: Path,
) -> None:
    y, x = domains("nonblind")
    events = list(
        Trainer(tiny("nonblind"), y, x, tmp_path / "m.blurgan", psf=psf, steps=4)
    )
    finished = events[-1]
    assert isinstance(finished, Finished)
    model = load_model(tmp_path / "m.blurgan")
    image = torch.from_numpy(model.input.apply(y[0].data[:])[None, None])
    assert torch.equal(model.operator()(image), finished.model.operator()(image))
    assert model.id == finished.model.id
    assert model.psf is not None
    assert model.psf.fwhm() == pytest.approx(psf.fwhm(), rel=0.02)
    for name in ("recipe.yaml", "model.json", "psf.ome.tif", "history.csv"):
        assert (tmp_path / "m.blurgan" / name).stat().st_size > 0


def test_stop_pause_and_resume_act_at_the_next_step(
    tiny: Callable[..., Recipe], domains: Callable[[str], Domains], psf: Psf
) -> None:
    trainer = Trainer(tiny("nonblind"), *domains("nonblind"), psf=psf, steps=50)
    steps = 0
    for event in trainer:
        if isinstance(event, Stepped):
            steps += 1
            if steps == 2:
                trainer.pause()
                assert trainer.paused
                trainer.resume()
                assert not trainer.paused
            if steps == 3:
                trainer.stop()
    assert steps == 3
    assert isinstance(event, Finished)
    assert event.reason == "stopped"


def test_a_budget_of_minutes_ends_by_the_clock(
    tiny: Callable[..., Recipe], domains: Callable[[str], Domains], psf: Psf
) -> None:
    trainer = Trainer(tiny("nonblind"), *domains("nonblind"), psf=psf, minutes=0.02)
    events = list(trainer)
    assert trainer.budget.seconds >= 0.02 * 60
    assert trainer.budget.progress == 1
    rates = [event.learning_rate for event in events if isinstance(event, Stepped)]
    assert rates[-1] < rates[0]
