"""What the Restore widget asks for, and the work made of it in the worker."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_blurgan.data.stack import Stack

if TYPE_CHECKING:
    from napari_blurgan.optics.psf import Psf
    from napari_blurgan.tiling.plan import TilingPlan

__all__ = ["RestoreRequest", "visible_field"]

SIDE, PLANES, VOXELS = 256, (8, 16), 2**19
"""Most pixels across of a preview, its least and most planes, and most voxels."""
TRIAL = (8, 64, 64)
"""Field that is restored to learn how long the whole will take."""


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
    """

    model: Path
    stack: Stack
    out: Path | None = None
    psf: Psf | None = None
    channel: int | None = None
    time: int | None = None
    device: str = "auto"
    memory: int | None = None

    def run(self, report: Callable[[Any], None]) -> Stack:
        """Restore, reporting events; return the result."""
        result = None
        for event in self._events():
            report(event)
            result = getattr(event, "result", result)
        assert result is not None  # the last event brings it
        return result

    def plan(self, report: Callable[[Any], None]) -> tuple[TilingPlan, float]:
        """Return what it would take, and how many seconds, by the time of a trial."""
        trial, seconds = self._trial()._timed()
        with contextlib.closing(self._events()) as events:
            plan = next(e.plan for e in events if hasattr(e, "plan"))
        return plan, seconds * _work(plan) / _work(trial)

    def _trial(self) -> RestoreRequest:
        """Return a request for a small field from the middle, of one frame."""
        shape = np.array(self.stack.data.shape)
        cut, _ = visible_field(self, 0 * shape, shape - 1, shape / 2, TRIAL)
        return replace(cut, memory=None)

    def _timed(self) -> tuple[TilingPlan, float]:
        """Restore; return the plan and the seconds from it to the end."""
        began, plan = 0.0, None
        for event in self._events():
            if hasattr(event, "plan"):
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
        )


def visible_field(
    request: RestoreRequest,
    low: np.ndarray[Any, Any],
    high: np.ndarray[Any, Any],
    point: np.ndarray[Any, Any],
    largest: tuple[int, int, int] | None = None,
) -> tuple[RestoreRequest, tuple[int, ...]]:
    """Return a request for what is in view, and the first voxel of that field.

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
    time = request.time
    if time is None and "T" in stack.axes:
        time = int(np.clip(round(point[stack.axes.index("T")]), 0, stack.size("T") - 1))
    return replace(request, stack=cut, time=time, out=None), tuple(start)


def _previewed(stack: Stack, view: np.ndarray[Any, Any]) -> tuple[int, int, int]:
    """Return the largest field of a preview: all that is seen, if that is not much."""
    y, x = (
        min(SIDE, int(view[stack.axes.index(axis)]), stack.size(axis)) for axis in "YX"
    )
    least, most = PLANES
    return max(least, min(most, VOXELS // max(y * x, 1))), y, x


def _work(plan: TilingPlan) -> int:
    """Return how many voxels go through the network."""
    return plan.tiles * math.prod(plan.tiling[len(plan.tiling) // 2].shape)
