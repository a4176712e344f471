"""Requests of the Restore widgets, and the work done for them in the worker."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_blurgan.checks import refuse_input
from napari_blurgan.data.stack import PART, Stack
from napari_blurgan.data.view import AxisView
from napari_blurgan.errors import CancelledError, DataError
from napari_blurgan.restoration.events import Noted, Planned, TileDone

if TYPE_CHECKING:
    from napari_blurgan.models.model import Model
    from napari_blurgan.optics.psf import Psf
    from napari_blurgan.tasks.evidence import Evidence
    from napari_blurgan.tiling.plan import TilingPlan

__all__ = ["FileState", "FolderRequest", "RestoreRequest", "visible_field"]

SIDE, PLANES, VOXELS = 256, (8, 16), 2**19
"""Limits of a preview: most pixels across, fewest and most planes, most voxels."""
TRIAL = (8, 64, 64)
"""Size of the trial that estimates the total time."""
TRIAL_SAMPLES = 2
ONE_IMAGE = ("mean", "mode")
"""Of the outputs of a distribution: those that are an image of the object."""


@dataclass(frozen=True)
class RestoreRequest:
    """Everything that a restoration needs, read from the widget before it starts.

    Parameters
    ----------
    model : Path
        Model folder.
    stack : Stack
        What to restore.
    out : Path or None
        A file, or None for memory.
    psf : Psf or None
        Its blur, where it is not the one that was trained for.
    channel, time : int or None
        Only one of them; None for all.
    device : str
        ``"auto"``, ``"cpu"`` ...
    memory : int or None
        Bytes that the tiles may take of the device; None for half of what is free.
    samples, outputs : int, tuple of str, or None
        Of a model that draws from a distribution, see `restore`; None for one image.
    """

    model: Path
    stack: Stack
    out: Path | None = None
    psf: Psf | None = None
    channel: int | None = None
    time: int | None = None
    device: str = "auto"
    memory: int | None = None
    samples: int | None = None
    outputs: tuple[str, ...] | None = None

    def run(self, report: Callable[[Any], None]) -> Stack:
        """Restore, reporting events; return the result."""
        result = None
        for event in self._events():
            report(event)
            result = getattr(event, "result", result)
        assert result is not None  # the last event contains it
        return result

    def plan(self, report: Callable[[Any], None]) -> tuple[TilingPlan, float]:
        """Return the requirements, and the seconds extrapolated from a trial."""
        few = self._trial()
        trial, seconds = few._timed()
        with contextlib.closing(self._events()) as events:
            plan = next(e.plan for e in events if hasattr(e, "plan"))
        more = (self.samples or 1) / (few.samples or 1)
        return plan, more * seconds * _work(plan) / _work(trial)

    def evidence(self, result: Stack, report: Callable[[Any], None]) -> Evidence:
        """Return maps of where the data support a result of `run`.

        What went into a file has its maps beside it, made tile by tile; restoring
        again, which needs the image in memory, is then left out.

        Raises
        ------
        DataError
            If there are several channels, or the result is of another kind.
        """
        from napari_blurgan.tasks.evidence import REPEATS, evidence

        measured = self.measured()
        return evidence(
            measured,
            self.one_image(result),
            psf=self.psf,
            model=self.model,
            repeats=REPEATS if self.out is None else (),
            progress=report,
            out=None if self.out is None else _beside(self.out),
            device=self.device,
        )

    def one_image(self, result: Stack) -> Stack:
        """Return the part of a result that evidence is of.

        Raises
        ------
        DataError
            If it is of many answers, and shows none of them as one image.
        """
        if self.outputs is None:
            return result
        for number, name in enumerate(self.outputs):
            if name in ONE_IMAGE:
                return result.only_channel(number)
        raise DataError("evidence is of one image: restore with the mean of the draws")

    def measured(self) -> Stack:
        """Return the channel and the time point that are restored, for evidence.

        Raises
        ------
        DataError
            If there are several channels.
        """
        stack = self.stack
        if self.channel is not None:
            stack = stack.only_channel(self.channel)
        if stack.channels != 1:
            raise DataError(
                f"evidence is of one channel, {stack.name} has {stack.channels}: "
                "choose one, and restore it"
            )
        if self.time is None or "T" not in stack.axes:
            return stack
        view = AxisView(stack.data, stack.axes.index("T"), self.time)
        return stack.with_data(view, stack.axes.replace("T", ""))

    def _trial(self) -> RestoreRequest:
        """Return a request for a small field in the middle of one frame."""
        shape = np.array(self.stack.data.shape)
        cut, _ = visible_field(self, 0 * shape, shape - 1, shape / 2, TRIAL)
        samples = None if self.samples is None else TRIAL_SAMPLES
        return replace(cut, memory=None, samples=samples, outputs=self.outputs)

    def _timed(self) -> tuple[TilingPlan, float]:
        """Restore; return the plan and the seconds from it to the end."""
        began, plan = 0.0, None
        for event in self._events():
            if isinstance(event, Planned):
                began, plan = monotonic(), event.plan
        assert plan is not None  # every restoration begins with it
        return plan, monotonic() - began

    def _events(self) -> Generator[Any]:
        from napari_blurgan.tasks.restore import restoring

        return restoring(
            self.model,
            self.stack,
            self.out,
            psf=self.psf,
            channel=self.channel,
            time=self.time,
            device=self.device,
            memory=self.memory,
            samples=self.samples,
            outputs=self.outputs,
        )


@dataclass(frozen=True)
class FileState:
    """How far a file of a folder is.

    Parameters
    ----------
    number : int
        Which one, counted from 0.
    share : float
        What is done of it, 0 to 1.
    result : Path or None
        Where its restoration is, once it is complete.
    note : str
        What is to be known of it.
    error : Exception or None
        Why there will be none.
    """

    number: int
    share: float = 0.0
    result: Path | None = None
    note: str = ""
    error: Exception | None = None


@dataclass(frozen=True)
class FolderRequest:
    """Files that are restored one after the other; what fails does not end the rest.

    Parameters
    ----------
    model : Path
        Model folder.
    todo : tuple of (Path, Path)
        Each file with the place of its result; results that are there already stay.
    device : str
        ``"auto"``, ``"cpu"`` ...
    memory : int or None
        Bytes that the tiles may take of the device; None for half of what is free.
    """

    model: Path
    todo: tuple[tuple[Path, Path], ...]
    device: str = "auto"
    memory: int | None = None

    def run(self, report: Callable[[Any], None]) -> int:
        """Restore, reporting a `FileState` for each change; return how many are."""
        from napari_blurgan.models.model import load_model

        model, done = load_model(self.model), 0
        for number, (_, out) in enumerate(self.todo):
            if out.exists():
                report(FileState(number, 1, out, "was there already, and stays"))
                continue
            report(FileState(number))
            try:
                note = self._restored(model, number, report)
            except CancelledError:
                raise
            except Exception as error:
                report(FileState(number, error=error))
            else:
                report(FileState(number, 1, out, note))
                done += 1
        return done

    def _restored(
        self, model: Model, number: int, report: Callable[[Any], None]
    ) -> str:
        """Restore a file; return what was noted of it."""
        from napari_blurgan.tasks.restore import restoring

        source, out = self.todo[number]
        refuse_input(out, source)
        out.parent.mkdir(parents=True, exist_ok=True)
        how: dict[str, Any] = {"device": self.device, "memory": self.memory}
        notes: list[str] = []
        event: Any
        for event in restoring(model, source, out, **how):
            if isinstance(event, TileDone):
                report(FileState(number, event.done / event.total))
            elif isinstance(event, Noted):
                notes.append(event.message)
        return " ".join(notes)


def _beside(out: Path) -> Path:
    """Return a free place for the evidence of a result in a file."""
    stem, *endings = out.name.split(".")
    ending = ".zarr" if endings[-1:] == ["zarr"] else ".ome.tif"
    numbers = ("", *(f"-{n}" for n in range(2, 1000)))
    names = (out.with_name(f"{stem}-evidence{n}{ending}") for n in numbers)
    return next(path for path in names if not path.exists())


def visible_field(
    request: RestoreRequest,
    low: np.ndarray[Any, Any],
    high: np.ndarray[Any, Any],
    point: np.ndarray[Any, Any],
    largest: tuple[int, int, int] | None = None,
) -> tuple[RestoreRequest, tuple[int, ...]]:
    """Return a request for the visible region, and the first voxel of that field.

    Parameters
    ----------
    request : RestoreRequest
        Of the whole stack.
    low, high : ndarray
        Corners of the view, in voxels along the axes of the stack.
    point : ndarray
        The planes in view, in voxels.
    largest : tuple of int, optional
        Most voxels of the field, (z, y, x), around the middle of the view; by default
        as many as are restored in seconds.
    """
    stack, start = request.stack, []
    largest = largest or _previewed(stack, high - low + 1)
    index: list[slice | int] = []
    for i, axis in enumerate(stack.axes):
        size = stack.data.shape[i]
        if axis not in "ZYX":
            index.append(slice(None))
            continue
        longest = largest["ZYX".index(axis)]
        middle = point[i] if axis == "Z" else (low[i] + high[i]) / 2
        length = longest if axis == "Z" else min(longest, int(high[i] - low[i]) + 1)
        length = max(1, min(length, size))
        first = int(np.clip(round(middle - length / 2), 0, size - length))
        start.append(first)
        index.append(slice(first, first + length))
    cut = stack.with_data(stack.data[tuple(index)])
    cut = replace(cut, metadata=cut.metadata | {PART: True})
    time = request.time
    if time is None and "T" in stack.axes:
        time = int(np.clip(round(point[stack.axes.index("T")]), 0, stack.size("T") - 1))
    single = replace(request, samples=None, outputs=None)
    return replace(single, stack=cut, time=time, out=None), tuple(start)


def _previewed(stack: Stack, view: np.ndarray[Any, Any]) -> tuple[int, int, int]:
    """Return the largest field of a preview: the visible region, within limits."""
    y, x = (
        min(SIDE, int(view[stack.axes.index(axis)]), stack.size(axis)) for axis in "YX"
    )
    least, most = PLANES
    return max(least, min(most, VOXELS // max(y * x, 1))), y, x


def _work(plan: TilingPlan) -> int:
    """Return the number of voxels that pass through the network."""
    return plan.tiles * math.prod(plan.tiling[len(plan.tiling) // 2].shape)
