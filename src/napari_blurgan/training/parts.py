"""The parts of a running training: data, networks, diagnostics and previews."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch

from napari_blurgan.data.stack import Stack
from napari_blurgan.estimates.first_look import Look
from napari_blurgan.estimates.judge import Judge
from napari_blurgan.interruption import heed_stop, interruptible
from napari_blurgan.methods.recipe import Recipe
from napari_blurgan.monitoring.content_probe import ContentProbe, content_probe
from napari_blurgan.monitoring.diagnostics import Diagnostics
from napari_blurgan.monitoring.events import Event, Preparing, Previewed
from napari_blurgan.monitoring.preview import Preview
from napari_blurgan.optimisation.engine import Engine
from napari_blurgan.optimisation.loading import load_optimisers
from napari_blurgan.optimisation.precision import choose_precision
from napari_blurgan.optimisation.prepared import Prepared, preparing
from napari_blurgan.optimisation.processes import Processes
from napari_blurgan.optimisation.random_state import RandomState
from napari_blurgan.preparation.calibration import Calibration
from napari_blurgan.preparation.site import Known

__all__ = ["Builder", "Parts"]


@dataclass(frozen=True)
class Parts:
    """The parts of a training, created from one seed.

    Parameters
    ----------
    prepared : Prepared
        The data and the networks.
    engine : Engine
        What takes the steps.
    precision : torch.dtype
        Of the arithmetic.
    diagnostics : Diagnostics
        What notices that networks are dead or drift apart.
    preview : Preview
        What shows an image restored so far.
    probe : ContentProbe, optional
        What measures the content, where there are thresholds.
    judge : Judge, optional
        What compares G with its estimate, where data are set aside.
    """

    prepared: Prepared
    engine: Engine
    precision: torch.dtype
    diagnostics: Diagnostics
    preview: Preview
    probe: ContentProbe | None
    judge: Judge | None


@dataclass(frozen=True)
class Builder:
    """Creates the parts of a training and reports the stages.

    Parameters
    ----------
    recipe : Recipe
        What is trained.
    y, x : sequence of Stack
        The measured and the sharp images.
    known : Known
        What the user knows of the blur.
    device : torch.device
        Where the networks are.
    processes : Processes
        Those that train together.
    stopped : callable
        Says whether the training is to end; asked often.
    middle : tuple of float, optional
        Of the field that is previewed, in voxels of the first measured image.
    time : int
        Time point of that field.
    """

    recipe: Recipe
    y: Sequence[Stack]
    x: Sequence[Stack]
    known: Known
    device: torch.device
    processes: Processes
    stopped: Callable[[], bool]
    middle: tuple[float, ...] | None = None
    time: int = 0

    def build(
        self, seed: int, step: int, state: dict[str, Any] | None = None
    ) -> Generator[Event, None, Parts]:
        """Create everything from a seed, or for the saved state of a training.

        Parameters
        ----------
        seed : int
            Of the networks and of all that is drawn.
        step : int
            That the events name.
        state : dict, optional
            Of a checkpoint, for the levels and the precision that it was saved with.
        """
        calibration = Calibration.from_dict(state["calibration"]) if state else None
        random_state = RandomState(seed, self.device)
        stages = preparing(
            self.recipe.updated({"seed": seed}),
            self.y,
            self.x,
            self.known,
            calibration,
            self.middle,
            self.time,
        )
        prepared = yield from self._prepare(stages, random_state, step)
        yield self._stage(step, "choosing the precision")
        wanted = state["precision"] if state else self.recipe.precision
        with self._interruptible:
            precision = self._measured_precision(prepared, wanted)
        yield self._stage(step, "loading the optimisers")
        with self._interruptible:
            load_optimisers()
            engine = Engine(
                prepared, self.device, precision, random_state, self.processes
            )
        if state is None:
            yield from self._estimate(engine, step)
        with self._interruptible:
            return Parts(
                prepared,
                engine,
                precision,
                Diagnostics(),
                Preview(prepared),
                content_probe(prepared),
                prepared.source.judge(engine.transport.forward_model),
            )

    def _prepare(
        self,
        stages: Iterator[str | Look | Prepared],
        random_state: RandomState,
        step: int,
    ) -> Generator[Event, None, Prepared]:
        while True:
            with random_state, self._interruptible:
                found = next(stages)
            if isinstance(found, Prepared):
                return found
            yield self._event(step, found)

    def _event(self, step: int, found: str | Look) -> Event:
        """Return the event of a stage of the preparation, or of its first look."""
        if isinstance(found, str):
            return self._stage(step, found)
        where = 0, found.corner, found.time, found.spacing
        return Previewed(step, found.before, found.after, *where)

    def _estimate(self, engine: Engine, step: int) -> Iterator[Preparing]:
        """Compute the initial estimates."""
        shares = engine.renew_source()
        while True:
            with self._interruptible:
                share = next(shares, None)
            if share is None:
                return
            yield self._stage(step, "initial estimates", share)

    @property
    def _interruptible(self) -> AbstractContextManager[None]:
        """Context in which loops end when the training is stopped.

        It does not extend over an event, because listeners must not be interrupted.
        """
        return interruptible(self.stopped)

    def _stage(self, step: int, stage: str, share: float = 0.0) -> Preparing:
        """Report a stage of the preparation, unless the training is to stop here."""
        with self._interruptible:
            heed_stop()
        return Preparing(step, stage, share)

    def _measured_precision(self, prepared: Prepared, wanted: str) -> torch.dtype:
        site = prepared.site
        generator = prepared.transport.generator.to(self.device)
        if self.processes.size > 1 and wanted == "auto":
            wanted = "float32"  # measurements of processes may differ
        blank = generator.blank(site.geometry.patch, site.channels[0])
        return choose_precision(wanted, generator, blank)
