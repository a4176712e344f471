"""The training loop: a recipe and two unpaired data sets in, events out."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_blurgan.data.stack import Stack
from napari_blurgan.devices import choose_device
from napari_blurgan.errors import TrainingError
from napari_blurgan.interruption import heed_stop, interruptible
from napari_blurgan.methods.migrations import migrate_row
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.models.folder import ModelFolder
from napari_blurgan.models.model import Model, read_history
from napari_blurgan.models.provenance import fingerprint, new_id, provenance
from napari_blurgan.models.schema import damage_refused
from napari_blurgan.monitoring.current_model import current_psf, make_model
from napari_blurgan.monitoring.diagnostics import measure_vitals
from napari_blurgan.monitoring.events import (
    Checkpointed,
    ContentMeasured,
    Event,
    Finished,
    Judged,
    KernelUpdated,
    Previewed,
    Started,
    Stepped,
    Warned,
)
from napari_blurgan.optics.forward import ForwardModel
from napari_blurgan.optics.models import Optics
from napari_blurgan.optics.psf import Psf
from napari_blurgan.optimisation.heeding import heeding
from napari_blurgan.optimisation.processes import Processes
from napari_blurgan.preparation.appearance import appearance
from napari_blurgan.preparation.notes import Note
from napari_blurgan.preparation.site import Known
from napari_blurgan.training.budget import Budget
from napari_blurgan.training.checkpoint import migrated, restore_state, state_of
from napari_blurgan.training.controls import Controls
from napari_blurgan.training.interval import Interval
from napari_blurgan.training.parts import Builder

__all__ = ["Trainer"]

LOOK_EVERY = 20
"""Steps between two diagnoses."""

JUDGE_EVERY = 50
"""Steps between two comparisons on held-out photons."""

CONTENT_EVERY = 200
"""Steps between two measurements of the content."""

KEEP_EVERY = 100
"""Steps between two states kept in memory, to return to after a NaN."""

RESTARTS = 2
"""Restarts after a dead start; further failures are not due to chance."""

NEXT_SEED = 1000
"""Difference between the seeds of two restarts."""

SHARE_SECONDS = 1.5
"""Seconds between two previews."""

SAVE_SECONDS = 30.0
"""Seconds between two checkpoints."""


class Trainer(Controls):
    """Trains a recipe: iterate over it to train, and read the events that it yields.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    y, x : sequence of Stack
        The measured (blurred) and the sharp images; unpaired, no image in both.
    out : path, optional
        Model folder to keep checkpoints in; nothing is written without one.
    psf : Psf, optional
        The blur, or where to start learning it.
    optics : Optics, optional
        To compute the blur from where there is no PSF.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"mps"`` ...
    seed, steps : int, optional
        In place of the recipe's.
    minutes : float, optional
        Time for all steps together, in place of a number of steps.
    resume : bool
        Go on with what is in `out`, if there is anything.
    forward : ForwardModel, optional
        H of your own, in place of the recipe's; see docs/physics.md.
    licence : str, optional
        Of the images, for the card of the model.

    Raises
    ------
    BlurGANError
        On iteration, if the data or the recipe cannot be used, or training fails.

    Examples
    --------
    >>> trainer = Trainer(preset("blind"), blurred, sharp, optics=optics)
    >>> for event in trainer:
    ...     print(event)
    """

    def __init__(
        self,
        recipe: Recipe,
        y: Sequence[Stack],
        x: Sequence[Stack],
        out: str | Path | None = None,
        psf: Psf | None = None,
        optics: Optics | None = None,
        device: str = "auto",
        seed: int | None = None,
        steps: int | None = None,
        minutes: float | None = None,
        resume: bool = False,
        forward: ForwardModel | None = None,
        licence: str | None = None,
    ) -> None:
        self._said = {} if licence is None else {"licence": licence}
        self._diagnoses: dict[str, str] = {}
        own = None if forward is None else {"kind": "own"}
        changes = {"seed": seed, "steps": steps, "forward": own}
        self.recipe = recipe.updated(
            {k: v for k, v in changes.items() if v is not None}
        )
        self.budget = Budget(self.recipe.steps, minutes)
        self.folder = None if out is None else ModelFolder(Path(out))
        self._y, self._x = list(y), list(x)
        self._known = Known(psf, optics, forward)
        self._device_name = device
        self._continues = resume
        super().__init__()
        self._begun = self._failed = False
        self._first = 0

    def __iter__(self) -> Iterator[Event]:
        """Train, yielding an event for every step.

        A second loop continues where the first ended: after a stop it takes the
        remaining steps, after the last step it only returns the finished model.

        Raises
        ------
        TrainingError
            If an earlier loop failed.
        CancelledError
            If it was stopped before its first step: there is nothing to keep.
        """
        if self._failed:
            raise TrainingError(
                "this training has failed: create a new Trainer with resume=True to "
                "continue "
                "from the last checkpoint"
            )
        again, self._begun = self._begun, True
        try:
            for event in self._continue() if again else self._begin():
                if isinstance(event, Warned):
                    self._diagnoses[event.code] = event.message
                yield event
        except Exception:
            self._failed = True
            raise
        finally:
            if self.folder:
                self.folder.lock.release()

    def _lock(self) -> None:
        """Lock the folder against other trainings while this one runs."""
        if self.folder and self._processes.rank == 0:
            self.folder.lock.acquire()

    def _begin(self) -> Iterator[Event]:
        yield from self._start()
        yield self._started()
        self._first = self.budget.step
        yield from (Warned.of(self.budget.step, note) for note in self._notes)
        if self._parts.judge is not None and self._parts.judge.best is None:
            yield from self._judged()
        yield from self._share(now=True)
        with self._until_the_first_step():
            pass  # stopped meanwhile
        yield from self._loop()

    def _continue(self) -> Iterator[Event]:
        """Take the steps that an earlier loop left."""
        self._lock()
        self._stopped.clear()
        yield self._started()
        if self._goes_on():
            self.budget.start_clock()
            yield from self._loop()
        else:
            yield Finished(self.budget.step, self.model(), self._reason)

    def _loop(self) -> Iterator[Event]:
        while self._goes_on():
            self._rest_while_paused()
            yield from self._advance()
            yield from self._share()
        yield from self._measure_content()
        yield from self._judged()
        yield from self._share(now=True)
        yield Finished(self.budget.step, self.model(), self._reason)

    @property
    def _reason(self) -> str:
        """The reason why the training ended."""
        if self._stopped.is_set():
            return "stopped"
        return "completed" if self.budget.minutes is None else "budget"

    def model(self) -> Model:
        """Return the current model."""
        facts = self._provenance | self._said | {"diagnoses": dict(self._diagnoses)}
        model = make_model(self._parts.engine, self._parts.prepared, self._id, facts)
        if self._parts.judge is not None and self._parts.judge.best is not None:
            model.generator.load_state_dict(self._parts.judge.best)
        model.path = self.folder.path if self.folder else None
        return model

    def _start(self) -> Iterator[Event]:
        """Prepare everything, or restore it from the checkpoint."""
        self._device = choose_device(self._device_name)
        self._processes = Processes.of(self._device)
        self._lock()
        state = self.folder.load() if self.folder and self._continues else None
        with interruptible(self._is_stopped):
            self._fingerprint = [fingerprint(s) for s in (*self._y, *self._x)]
        self._id = state["id"] if state else new_id()
        yield from self._build(self.recipe.seed, state)
        self._notes = list(self._parts.prepared.notes)
        if state:
            self._go_on(state)
        else:
            voxel_size = self._parts.prepared.site.voxel_size
            with interruptible(self._is_stopped):
                self._notes += self._parts.prepared.source.findings(voxel_size)
        self._share_interval = Interval(SHARE_SECONDS)
        self._save_interval = Interval(SAVE_SECONDS)
        self.budget.begin()

    def _started(self) -> Started:
        sets = zip((self._y, self._x), self.recipe.forward.domains, strict=True)
        counted = ", ".join(f"{len(stacks)} {name}" for stacks, name in sets if stacks)
        return Started(
            self.budget.step,
            self.budget.total_steps,
            str(self._device),
            str(self._parts.precision).removeprefix("torch."),
            f"{self.recipe.name}: {counted}",
        )

    def _build(self, seed: int, state: dict[str, Any] | None = None) -> Iterator[Event]:
        """Create networks, source and optimisers, from a seed or for a saved state."""
        builder = Builder(
            self.recipe,
            self._y,
            self._x,
            self._known,
            self._device,
            self._processes,
            self._is_stopped,
            self._middle,
            self._time,
        )
        self._parts = yield from builder.build(seed, self.budget.step, state)
        self._provenance = provenance(
            self.recipe.updated({"seed": seed}),
            self._device,
            self._parts.precision,
            self._fingerprint,
        )
        with interruptible(self._is_stopped):
            seen = appearance(self._y)
        if seen is not None:
            self._provenance["appearance"] = seen.to_dict()
        self._judged_at = self._shared_at = -1
        self._good: dict[str, Any] | None = None
        self._brake = 1.0

    def _is_stopped(self) -> bool:
        return self._stopped.is_set()

    @contextmanager
    def _until_the_first_step(self) -> Iterator[None]:
        """Let computing end at once while there is nothing new to keep."""
        if self.budget.step != self._first:
            yield
            return
        engine = self._parts.engine
        with (
            interruptible(self._is_stopped),
            heeding(engine.transport, engine.terms, engine.generator),
        ):
            heed_stop()
            yield
            heed_stop()

    def _advance(self) -> Iterator[Event]:
        """Take one step and return its event."""
        budget, settings = self.budget, self.recipe.optimiser
        rate = budget.rate(settings.constant, settings.final, settings.warm_up)
        with self._until_the_first_step():
            losses = self._parts.engine.step(rate * self._brake)
        budget.count_step()
        if not all(map(math.isfinite, losses.values())):
            yield self._step_back(losses)
            return
        rate *= settings.generator_rate * self._brake
        if self.folder:
            self.folder.record(budget.step, losses | {"rate": rate})
        yield Stepped(
            budget.step, losses, rate, budget.total_steps, budget.remaining_seconds
        )
        if budget.step % KEEP_EVERY == 0:
            # The state contains references to tensors that training keeps changing.
            self._good = copy.deepcopy(self._parts.engine.state_dict())
        if budget.step % CONTENT_EVERY == 0:
            yield from self._measure_content()
        if budget.step % JUDGE_EVERY == 0:
            yield from self._judged()
        if budget.step % LOOK_EVERY == 0 and self._parts.engine.latest is not None:
            yield from self._look(losses)

    def _look(self, losses: dict[str, float]) -> Iterator[Event]:
        """Measure the vital signs; after a dead start, restart with another seed."""
        assert self._parts.engine.latest is not None
        vitals = measure_vitals(self._parts.engine.latest) | losses
        for warning in self._parts.diagnostics.observe(self.budget.step, vitals):
            yield warning
            seed = self._parts.engine.recipe.seed
            if warning.code == "dead-start" and seed < self._last_seed:
                yield from self._build(seed + NEXT_SEED)
                self._rewind(0)

    @property
    def _last_seed(self) -> int:
        """The last seed that is tried after dead starts."""
        return self.recipe.seed + RESTARTS * NEXT_SEED

    def _measure_content(self) -> Iterator[ContentMeasured]:
        if self._parts.probe is not None:
            content = self._parts.probe.measure(self._parts.engine)
            self._provenance = self._provenance | {"content": content.summary()}
            yield ContentMeasured(self.budget.step, content)

    def _judged(self) -> Iterator[Judged]:
        """Compare G with its estimate on held-out data, if there are any."""
        if self._parts.judge is None or self._judged_at == self.budget.step:
            return
        self._judged_at = self.budget.step
        with self._until_the_first_step():
            judgement = self._parts.judge.look(self._parts.engine.generator)
        assert self._parts.judge.last is not None
        self._provenance = self._provenance | {"unseen": asdict(self._parts.judge.last)}
        yield Judged(self.budget.step, judgement)

    def _step_back(self, losses: dict[str, float]) -> Warned:
        """Return to the last good state at half the rate; the second time, give up."""
        if self._good is None or self._brake < 1:
            raise TrainingError(
                f"the loss became NaN or infinite at step {self.budget.step} "
                f"({losses}): lower optimiser.generator_rate, or check the data for "
                f"extreme values; the last checkpoint is unchanged"
            )
        self._parts.engine.load_state_dict(self._good)
        self._rewind(self._parts.engine.steps)
        self._brake = 0.5
        return Warned(
            self.budget.step,
            "not-a-number",
            "The loss became NaN or infinite.",
            "Training went back to the last good state and continues at half the "
            "learning rate.",
            dict(losses),
        )

    def _rewind(self, step: int) -> None:
        """Return to `step`; records of later steps are dropped."""
        self.budget.step = step
        if self.folder:
            self.folder.rewind(step)

    def _share(self, now: bool = False) -> Iterator[Event]:
        """Show the kernel and a preview, and save, whenever their time has come."""
        step = self.budget.step
        if now and self._shared_at == step:
            return  # stopped before another step
        self._shared_at = step if now else self._shared_at
        if self._share_interval.due() or now:
            with self._until_the_first_step():
                psf = current_psf(self._parts.engine, self._parts.prepared)
            if psf is not None:
                yield KernelUpdated(step, psf)
            self._parts.preview.look_at(self._middle, self._time)
            with self._until_the_first_step():
                self._seen = self._parts.preview.of(self._parts.engine)
            yield Previewed(step, *self._seen)
        leads = self._processes.rank == 0 and step != self._first
        if self.folder and leads and (self._save_interval.due() or now):
            self.folder.save(self._state(), self.model(), *self._seen[:2])
            yield Checkpointed(step, self.folder.path)

    def _goes_on(self) -> bool:
        self.budget.seconds = self._processes.agree(self.budget.seconds)
        over = self.budget.progress >= 1 or self._stopped.is_set()
        return not self._processes.agree(over)

    def _rest_while_paused(self) -> None:
        if self.paused:
            self._running.wait()
            self.budget.start_clock()

    def _state(self) -> dict[str, Any]:
        own = {"id": self._id, "fingerprint": self._fingerprint, "brake": self._brake}
        return own | state_of(self.recipe, self._parts, self.budget)

    def _go_on(self, state: dict[str, Any]) -> None:
        """Resume a training from its checkpoint."""
        assert self.folder is not None
        state = migrated(state, self._fingerprint)
        with damage_refused(self.folder.path / "training.safetensors"):
            restore_state(self._parts, self.budget, state)
            self._brake = state["brake"]
        self._notes += [Note.damaged(text) for text in self.folder.notes]
        rows = read_history(self.folder.path / "history.csv")
        self.folder.rows = [migrate_row(row) for row in rows]
        self.folder.rewind(self.budget.step)
