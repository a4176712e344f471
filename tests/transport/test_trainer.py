"""What a training tells, that it teaches, and that nothing of it is lost."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.image import imread

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import BlurGANError, DataError, ModelFileError, TrainingError
from napari_blurgan.methods.presets import PRESETS, preset
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models.model import load_model, read_history
from napari_blurgan.monitoring import diagnostics as diagnostics_module
from napari_blurgan.monitoring.events import (
    Checkpointed,
    Event,
    Finished,
    KernelUpdated,
    Preparing,
    Previewed,
    Started,
    Stepped,
    Warned,
)
from napari_blurgan.optics.psf import Psf
from napari_blurgan.training import trainer as trainer_module
from napari_blurgan.training.trainer import Trainer

Domains = tuple[list[Stack], list[Stack]]
Losses = list[dict[str, float]]

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
    "self-supervised": {"remeasured"},
    "auto": {"remeasured"},
}
# The others: cycle_x.
FALLS = {
    "supervised": "supervised",
    "half": "cycle_y",
    "noise2noise": "supervised",
    "noise2self": "masked",
    "noise2void": "masked",
}
JUDGED = ("self-supervised", "auto")
"""Their loss is the noise of unseen photons but for a hundredth: whether something was
learned is judged on others, and the better of network and estimate is kept."""


@pytest.fixture
def domains(
    measured: list[Stack], unpaired: list[Stack], truth: list[Stack]
) -> Callable[[str], Domains]:
    def make(name: str) -> Domains:
        sharp = truth if name == "supervised" else unpaired
        return measured, sharp if preset(name).source.domains == 2 else []

    return make


def content_of(name: str) -> dict[str, float]:
    """Return the threshold of domain A in the grey levels of `measured`, if needed."""
    return {"saliency__alpha": 150.0} if "saliency" in preset(name).active_terms else {}


def first_after_preparing(events: list[Event]) -> type:
    before = (Preparing, Previewed)
    return next(type(e) for e in events if not isinstance(e, before))


def losses_of(events: list[Event]) -> Losses:
    return [event.losses for event in events if isinstance(event, Stepped)]


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
        "blind": {"forward__start": "psf"},
    }
    recipe = tiny(
        name, optimiser__generator_rate=3e-3, **needs.get(name, content_of(name))
    )
    events = list(Trainer(recipe, *domains(name), psf=psf, steps=50, device="cpu"))
    losses = losses_of(events)
    terms = {key for key in losses[0] if not key.startswith("discriminator")}
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


def test_the_same_seed_gives_the_same_losses_whatever_others_draw(
    tiny: Callable[..., Recipe], domains: Callable[[str], Domains], psf: Psf
) -> None:
    runs = []
    for disturb in (False, True):
        losses = []
        for event in Trainer(tiny("nonblind"), *domains("nonblind"), psf=psf, steps=5):
            if disturb:
                torch.rand(3)
            if isinstance(event, Stepped):
                losses.append(event.losses)
        runs.append(losses)
    assert runs[0] == runs[1]


@pytest.mark.parametrize("name", ["blind", "utom", "cyclegan"])
def test_a_resumed_training_equals_an_uninterrupted_one_bit_by_bit(
    name: str,
    tiny: Callable[..., Recipe],
    domains: Callable[[str], Domains],
    psf: Psf,
    tmp_path: Path,
) -> None:
    renew = {"generator__renew": 3} if name == "blind" else {}
    recipe = tiny(
        name, adversary__history=2, forward__frozen_steps=2, **renew, **content_of(name)
    )

    def run(out: Path, stop_at: int, resume: bool = False) -> Losses:
        trainer = Trainer(
            recipe, *domains(name), out, psf=psf, steps=12, device="cpu", resume=resume
        )
        losses = []
        for event in trainer:
            if isinstance(event, Stepped):
                losses.append(event.losses)
                if event.step == stop_at:
                    trainer.stop()
        return losses

    whole = run(tmp_path / "whole.blurgan", 12)
    out = tmp_path / "parts.blurgan"
    parts = run(out, 4) + run(out, 9, resume=True) + run(out, 12, resume=True)
    assert parts == whole
    one, other = (
        load_model(tmp_path / f"{n}.blurgan").generator.state_dict()
        for n in ("whole", "parts")
    )
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert [row["step"] for row in load_model(out).history] == list(range(1, 13))


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


def test_nan_steps_back_once_and_then_gives_up(
    tiny: Callable[..., Recipe],
    domains: Callable[[str], Domains],
    psf: Psf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trainer_module, "KEEP_EVERY", 2)
    trainer = Trainer(tiny("nonblind"), *domains("nonblind"), psf=psf, steps=20)
    seen: list[Event] = []
    with pytest.raises(TrainingError, match="last checkpoint is unchanged"):
        for event in trainer:
            seen.append(event)
            if isinstance(event, Stepped) and event.step == 3:
                weight = next(trainer._parts.engine.transport.generator.parameters())
                with torch.no_grad():
                    weight.fill_(math.nan)
    assert [e.code for e in seen if isinstance(e, Warned)] == ["not-a-number"]


@pytest.fixture
def poisoned(
    tiny: Callable[..., Recipe],
    domains: Callable[[str], Domains],
    psf: Psf,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Trainer:
    """A training whose states are kept every other step, for NaN at step 3."""
    monkeypatch.setattr(trainer_module, "KEEP_EVERY", 2)
    y, x = domains("nonblind")
    return Trainer(tiny("nonblind"), y, x, tmp_path / "a.blurgan", psf=psf, steps=8)


def _poison(trainer: Trainer) -> None:
    weight = next(trainer._parts.engine.transport.generator.parameters())
    with torch.no_grad():
        weight.fill_(math.nan)


def test_the_state_stepped_back_to_is_the_one_that_was_kept(poisoned: Trainer) -> None:
    kept, seen, poisons = {}, [], 0
    for event in poisoned:
        seen.append(event)
        if not isinstance(event, Stepped | Warned):
            continue
        weights = poisoned._parts.engine.transport.generator.state_dict()
        if isinstance(event, Stepped) and event.step == 2 and not kept:
            kept = {name: value.clone() for name, value in weights.items()}
        if isinstance(event, Stepped) and event.step == 3 and not poisons:
            poisons += 1
            _poison(poisoned)
        if isinstance(event, Warned) and event.code == "not-a-number":
            for name, value in weights.items():
                assert torch.equal(value, kept[name]), name
    steps = [e.step for e in seen if isinstance(e, Stepped)]
    assert steps == [1, 2, 3, 3, 4, 5, 6, 7, 8]
    losses = [v for e in seen if isinstance(e, Stepped) for v in e.losses.values()]
    assert all(map(math.isfinite, losses))


def test_the_history_keeps_no_step_that_was_taken_back(poisoned: Trainer) -> None:
    done = False
    for event in poisoned:
        if isinstance(event, Stepped) and event.step == 3 and not done:
            done = True
            _poison(poisoned)
    rows = read_history(poisoned.folder.path / "history.csv")
    assert [row["step"] for row in rows] == list(range(1, 9))


def test_a_second_loop_leaves_a_finished_model_as_it_is(
    tiny: Callable[..., Recipe],
    domains: Callable[[str], Domains],
    psf: Psf,
    tmp_path: Path,
) -> None:
    out = tmp_path / "a.blurgan"
    trainer = Trainer(tiny("nonblind"), *domains("nonblind"), out, psf=psf, steps=3)
    list(trainer)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    again = list(trainer)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert [type(event) for event in again] == [Started, Finished]


def test_a_second_loop_after_a_stop_goes_on(
    tiny: Callable[..., Recipe],
    domains: Callable[[str], Domains],
    psf: Psf,
    tmp_path: Path,
) -> None:
    def trainer(name: str) -> Trainer:
        y, x = domains("nonblind")
        return Trainer(tiny("nonblind"), y, x, tmp_path / name, psf=psf, steps=6)

    stopped = trainer("stopped.blurgan")
    first = []
    for event in stopped:
        first.append(event)
        if isinstance(event, Stepped) and event.step == 2:
            stopped.stop()
    second = list(stopped)
    assert losses_of(first + second) == losses_of(list(trainer("whole.blurgan")))


def test_a_training_that_failed_does_not_go_on(
    tiny: Callable[..., Recipe], domains: Callable[[str], Domains]
) -> None:
    y, x = domains("nonblind")
    trainer = Trainer(tiny("nonblind"), y, x, steps=3)
    with pytest.raises(BlurGANError, match="known blur"):
        list(trainer)
    with pytest.raises(TrainingError, match="create a new Trainer"):
        list(trainer)


def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    tiny: Callable[..., Recipe],
    domains: Callable[[str], Domains],
    psf: Psf,
    tmp_path: Path,
) -> None:
    out = tmp_path / "a.blurgan"
    options: dict[str, Any] = {"psf": psf, "device": "cpu"}
    list(Trainer(tiny("nonblind"), *domains("nonblind"), out, steps=2, **options))
    current = out / "training.safetensors"
    current.write_bytes(current.read_bytes()[:-40])
    again = Trainer(
        tiny("nonblind"), *domains("nonblind"), out, steps=4, resume=True, **options
    )
    assert losses_of(list(again))
    current.write_bytes(b"")
    (out / "training.previous.safetensors").write_bytes(b"")
    with pytest.raises(ModelFileError, match="damaged"):
        list(
            Trainer(tiny("nonblind"), *domains("nonblind"), out, resume=True, **options)
        )


def test_resuming_on_other_images_is_refused(
    tiny: Callable[..., Recipe],
    domains: Callable[[str], Domains],
    psf: Psf,
    tmp_path: Path,
) -> None:
    out = tmp_path / "a.blurgan"
    y, x = domains("nonblind")
    list(Trainer(tiny("nonblind"), y, x, out, psf=psf, steps=1))
    other = [dataclasses.replace(y[0], data=np.asarray(y[0].data) + 1), y[1]]
    with pytest.raises(
        DataError, match="differ from those at the start of this training"
    ):
        list(Trainer(tiny("nonblind"), other, x, out, psf=psf, resume=True))


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda y, x: ([], x), "no blurred images"),
        (lambda y, x: (y, []), "no sharp images"),
        (lambda y, x: (y, y), "same image"),
        (lambda y, x: ([_cut(y[0], 12)], x), "smaller than a patch"),
        (lambda y, x: ([_filled(y[0], np.nan)], x), r"NaN|finite"),
        (lambda y, x: ([_filled(y[0], 5.0)], x), "all sampled voxels are 5"),
        (
            lambda y, x: ([y[0], dataclasses.replace(y[1], voxel_size=(1, 1, 1))], x),
            "resample",
        ),
        (lambda y, x: ([_plane(y[0])], x), "is a plane"),
        (lambda y, x: ([_two_channels(y[0])], x), "one channel"),
    ],
)
def test_data_that_do_not_fit_are_refused_in_plain_words(
    break_it: Callable[[list[Stack], list[Stack]], Domains],
    message: str,
    tiny: Callable[..., Recipe],
    domains: Callable[[str], Domains],
    psf: Psf,
    tmp_path: Path,
) -> None:
    y, x = break_it(*domains("nonblind"))
    out = tmp_path / "a.blurgan"
    with pytest.raises(BlurGANError, match=message):
        list(Trainer(tiny("nonblind"), y, x, out, psf=psf, steps=2))
    assert not out.exists()


def test_a_known_blur_that_nobody_gave_is_asked_for(
    tiny: Callable[..., Recipe], domains: Callable[[str], Domains]
) -> None:
    with pytest.raises(BlurGANError, match="give a PSF file, or the optics"):
        list(Trainer(tiny("nonblind"), *domains("nonblind"), steps=2))


def _cut(stack: Stack, size: int) -> Stack:
    return dataclasses.replace(stack, data=np.asarray(stack.data)[:, :size, :size])


def _filled(stack: Stack, value: float) -> Stack:
    return dataclasses.replace(stack, data=np.full(stack.data.shape, value, np.float32))


def _plane(stack: Stack) -> Stack:
    return dataclasses.replace(stack, data=np.asarray(stack.data)[0], axes="YX")


def _two_channels(stack: Stack) -> Stack:
    both = np.stack([np.asarray(stack.data)] * 2)
    return dataclasses.replace(stack, data=both, axes="CZYX")


def test_a_dead_start_is_started_again_twice_and_no_more(
    tiny: Callable[..., Recipe],
    psf: Psf,
    domains: Callable[[str], Domains],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    early = [
        dataclasses.replace(check, after=20)
        for check in diagnostics_module.CHECKS
        if check.code == "dead-start"
    ]
    monkeypatch.setattr(diagnostics_module, "CHECKS", early)
    # A generator that does not learn adds nothing to its estimate.
    recipe = tiny("nonblind", optimiser__generator_rate=1e-12)
    events = list(Trainer(recipe, *domains("nonblind"), psf=psf, steps=25))
    dead = [e for e in events if isinstance(e, Warned) and e.code == "dead-start"]
    assert len(dead) == 3
    steps = [e.step for e in events if isinstance(e, Stepped)]
    assert steps == [*range(1, 21), *range(1, 21), *range(1, 26)]
