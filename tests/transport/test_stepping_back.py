"""A loss that becomes NaN, and a start that teaches nothing."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from napari_blurgan.errors import TrainingError
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models.model import read_history
from napari_blurgan.monitoring import diagnostics as diagnostics_module
from napari_blurgan.monitoring.events import (
    Event,
    Stepped,
    Warned,
)
from napari_blurgan.optics.psf import Psf
from napari_blurgan.training import trainer as trainer_module
from napari_blurgan.training.trainer import Trainer
from tests.support.trainings import Domains


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
