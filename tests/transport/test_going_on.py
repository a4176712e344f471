"""Trainings that stop and go on: nothing is lost, nothing repeated."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from napari_blurgan.errors import BlurGANError, DataError, ModelFileError, TrainingError
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models.model import load_model
from napari_blurgan.monitoring.events import (
    Finished,
    Started,
    Stepped,
)
from napari_blurgan.optics.psf import Psf
from napari_blurgan.training.trainer import Trainer
from tests.support.trainings import Domains, Losses, content_of, losses_of


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
