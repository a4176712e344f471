"""Before the first step: what is shown, and how soon it ends when it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from napari_blurgan.classical.accelerated import accelerated_richardson_lucy
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import CancelledError
from napari_blurgan.interruption import interruptible
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.monitoring.events import (
    Event,
    Finished,
    KernelUpdated,
    Preparing,
    Previewed,
    Started,
    Warned,
)
from napari_blurgan.optics.models import Optics, support_shape
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optimisation.precision import choose_precision
from napari_blurgan.reconstructors.reconstructor import Reconstructor
from napari_blurgan.training.trainer import Trainer

OPTICS = Optics(na=0.9, ni=1.33, wavelength=520)

Make = Callable[..., Trainer]


@pytest.fixture
def blind(
    tiny: Callable[..., Recipe], measured: list[Stack], unpaired: list[Stack]
) -> Make:
    def make(**options: Any) -> Trainer:
        recipe = tiny("blind", weights__spectral=0)
        options = {"optics": OPTICS, "steps": 1} | options
        return Trainer(recipe, measured, unpaired, **options)

    return make


def until_started(trainer: Trainer) -> Iterator[Event]:
    for event in trainer:
        yield event
        if isinstance(event, Started):
            return


@pytest.mark.parametrize("optics", [OPTICS, None])
def test_an_estimate_is_seen_before_the_costly_search_for_the_blur(
    blind: Make, optics: Optics | None
) -> None:
    """With optics before the spectra are fitted, without as soon as they are."""
    trainer, questions, asked = blind(optics=optics), count(), {}

    def stopped() -> bool:
        next(questions)
        return False

    trainer._is_stopped = stopped  # type: ignore[method-assign]
    events = []
    for event in trainer:
        events.append(event)
        asked.setdefault(getattr(event, "stage", type(event)), next(questions))
    seen = asked[Previewed] - asked["finding the blur"]
    assert asked["finding the blur"] < asked[Previewed]
    assert asked[Previewed] < asked["finding the number of iterations"]
    if optics is None:
        assert seen > 100  # the fits ask whether to stop
    else:
        assert seen < 100
    first, final = [e for e in events if isinstance(e, Previewed)][:2]
    assert first.corner == final.corner
    assert first.after.shape == final.after.shape
    # The network starts by changing nothing; the blur has been found meanwhile.
    assert np.corrcoef(first.after.ravel(), final.after.ravel())[0, 1] > 0.9


def test_a_blur_fits_the_blocks_of_a_deep_stack(
    measured: list[Stack], unpaired: list[Stack], tiny: Callable[..., Recipe]
) -> None:
    """70 planes are divided into two blocks of 35, and its haze is deeper."""
    deep = [replace(s, data=np.tile(s.data, (9, 1, 1))[:70]) for s in measured]
    *_, last = Trainer(tiny("blind"), deep, unpaired, steps=1, optics=OPTICS)
    assert isinstance(last, Finished)
    assert last.step == 1


def test_no_haze_is_counted_in_voxels_of_unknown_size(
    measured: list[Stack], unpaired: list[Stack], tiny: Callable[..., Recipe]
) -> None:
    """Its cone depends on the true size, and it costs a second at every step."""
    nothing = (None, None, None)
    y, x = ([replace(s, voxel_size=nothing) for s in d] for d in (measured, unpaired))
    *_, last = Trainer(tiny("blind"), y, x, steps=1)
    assert isinstance(last, Finished)
    psf = last.model.psf
    assert psf is not None
    found = Optics(**psf.provenance["effective optics"])
    assert psf.shape[1:] == support_shape(found, psf.voxel_size)[1:]


@pytest.mark.parametrize("asked", [1, 5, 40, 100, 160])
def test_a_stage_ends_in_the_middle(blind: Make, asked: int) -> None:
    """Stopped not between two stages, but where a loop asks for the nth time."""
    trainer, questions = blind(), count(1)

    def stopped() -> bool:
        if next(questions) == asked:
            trainer.stop()
        return trainer._stopped.is_set()

    trainer._is_stopped = stopped  # type: ignore[method-assign]
    told = []
    with pytest.raises(CancelledError):
        told += until_started(trainer)
    assert next(questions) == asked + 1
    assert {type(event) for event in told} <= {Preparing, Previewed}


@pytest.mark.parametrize("last", [Started, KernelUpdated, Previewed])
def test_until_the_first_step_there_is_nothing_to_keep(
    blind: Make, last: type[Event], tmp_path: Path
) -> None:
    trainer, told = blind(out=tmp_path / "m.blurgan"), []
    with pytest.raises(CancelledError):
        for event in trainer:
            told.append(event)
            if isinstance(event, last) and any(isinstance(e, Started) for e in told):
                trainer.stop()
    assert isinstance(told[-1], last | Warned)
    assert list(tmp_path.iterdir()) == []


def test_a_first_step_ends_in_the_middle(blind: Make, tmp_path: Path) -> None:
    trainer, asked = blind(out=tmp_path / "m.blurgan", steps=2), 0

    def stopped() -> bool:
        nonlocal asked
        asked += 1
        return asked > 20

    told = []
    with pytest.raises(CancelledError):
        for event in trainer:
            told.append(event)
            if isinstance(event, Previewed) and isinstance(told[-2], KernelUpdated):
                trainer._is_stopped = stopped  # type: ignore[method-assign]
    assert isinstance(told[-1], Previewed)
    assert asked == 21
    assert list(tmp_path.iterdir()) == []


def test_classical_iterations_end_when_they_are_stopped(psf: Psf) -> None:
    done: list[int] = []
    with (
        interruptible(lambda: len(done) == 3),
        pytest.raises(CancelledError, match="stopped"),
    ):
        accelerated_richardson_lucy(
            np.ones((8, 16, 16)),
            psf,
            9,
            callback=lambda progress: done.append(progress.iteration) or False,
        )
    assert done == [1, 2, 3]


def test_a_precision_that_is_slower_on_parts_is_not_tried_on_the_whole() -> None:
    class Emulating(Reconstructor):
        """Takes ever longer in bfloat16."""

        def __init__(self) -> None:
            super().__init__(torch.nn.Linear(1, 1))
            self.sizes: list[int] = []

        def forward(self, y: Any, estimate: Any = None, region: Any = None) -> Any:
            self.sizes.append(y.shape[-1])
            rounds = 1 if self.precision == torch.float32 else 3000
            for _ in range(rounds):
                y = self.network(y[..., :1])
            return y

        def set_precision(self, precision: torch.dtype) -> None:
            self.precision = precision

    network = Emulating()
    blank = [torch.zeros(1, 1, 32, 32, 32)]
    assert choose_precision("auto", network, blank) is torch.float32
    assert set(network.sizes) == {16}


@pytest.mark.parametrize(("recipe", "said"), [("utom", True), ("nonblind", False)])
def test_a_psf_without_a_part_in_the_training_is_said(
    tiny: Callable[..., Recipe],
    measured: list[Stack],
    unpaired: list[Stack],
    recipe: str,
    said: bool,
) -> None:
    none = {"saliency.alpha": None, "saliency.beta": None, "terms.saliency.weight": 0}
    small = {"steps": 1} | (none if said else {})
    trainer = Trainer(
        tiny(recipe).updated(small), measured, unpaired, optics=OPTICS, device="cpu"
    )
    warned = [e.code for e in trainer if isinstance(e, Warned)]
    assert ("psf-without-part" in warned) is said
