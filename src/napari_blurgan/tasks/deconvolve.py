"""A deconvolution as the window and the command line request it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_blurgan.classical.methods import METHODS
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.optics.psf import Psf
from napari_blurgan.tasks.background import estimated_background

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from napari_blurgan.classical.deconvolution_operator import DeconvolutionOperator
    from napari_blurgan.inverse.blur import Edges
    from napari_blurgan.inverse.iteration import Progress
    from napari_blurgan.restoration.events import Event as TileEvent

__all__ = ["DeconvolutionRequest", "Glimpse", "Iterated"]

TRIAL = (8, 48, 48)
"""Voxels of the trial that estimates the total time."""
EVERY = 0.5
"""Shortest interval between two previews in seconds; they may take a tenth of the
time."""


@dataclass(frozen=True)
class Iterated:
    """Another iteration is done, out of all in all frames.

    Attributes
    ----------
    judged : int
        Which estimate of the present frame a stopping rule has judged last.
    value : float or None
        Its criterion.
    """

    done: int
    total: int
    judged: int = 0
    value: float | None = None


@dataclass(frozen=True)
class Glimpse:
    """The current estimate of the frame in progress, (z, y, x) or (y, x).

    Attributes
    ----------
    time : int or None
        Which time point it is of, where there are several.
    """

    image: NDArray[np.float32]
    time: int | None = None


@dataclass(frozen=True)
class DeconvolutionRequest:
    """Everything that a deconvolution needs, known before it starts.

    Parameters
    ----------
    stack : Stack
        What to deconvolve.
    psfs : tuple of Psf
        One for all channels, or one for each; resampled and cropped as needed.
    method : str
        One of `METHODS`.
    parameters : dict
        Of the method, by name.
    background : float or None
        Grey levels that do not come from the object; None to estimate them.
    camera : dict
        gain, offset and read_noise, where they are known.
    stop : str or None
        One of the method's stopping rules.
    edges : {"extend", "periodic"}
        What lies beyond the field of view.
    time : int or None
        The only time point; None for all.
    tile : tuple of int or None
        Voxels (z, y, x) or (y, x) of tiles; None for tiles only where the memory does
        not hold the image.
    out : path-like or None
        A file, or None for memory.
    dtype : dtype-like or None
        Of the result; None for float32.
    device : str
        ``"auto"``, ``"cpu"`` ...
    memory : int or None
        Bytes that it may take of the device; None for most of what is free.
    resume : bool
        Go on with the unfinished ``.zarr`` of an earlier run.
    enough : Event
        Set, it ends the present frame, and those to come, at the present iteration.
    """

    stack: Stack
    psfs: tuple[Psf, ...]
    method: str
    parameters: dict[str, Any] = field(default_factory=dict)
    background: float | None = 0.0
    camera: dict[str, float] = field(default_factory=dict)
    stop: str | None = None
    edges: Edges = "extend"
    time: int | None = None
    tile: tuple[int, ...] | None = None
    out: str | os.PathLike[str] | None = None
    dtype: DTypeLike | None = None
    device: str = "auto"
    memory: int | None = None
    resume: bool = False
    enough: Event = field(default_factory=Event, compare=False)

    def run(self, report: Callable[[Any], None]) -> Stack:
        """Deconvolve frame by frame and return the result.

        Parameters
        ----------
        report : callable
            Called with the events of `napari_blurgan.restoration.events`, with
            `Iterated` and `Glimpse`, and at the end with notes in words.
        """
        if self.background is None:
            return self._with_background(report).run(report)
        from napari_blurgan.data.exposure import exposure_notes

        psfs, fitted = self._fitted()
        tile = self._earlier_tile(psfs)
        operator = self._operator(psfs, tile is not None)
        with closing(self._events(operator, psfs, tile)) as events:
            result = self._followed(events, operator, tile is None, report)
        cut_off = exposure_notes(self.stack, time=self.time)
        for words in dict.fromkeys((*fitted, *cut_off, *_said(operator))):
            report(words)
        return result

    def _events(
        self,
        operator: DeconvolutionOperator,
        psfs: list[Psf],
        tile: tuple[int, ...] | None,
    ) -> Generator[TileEvent, None, None]:
        from napari_blurgan.restoration.predict import apply
        from napari_blurgan.restoration.sinks import make_sink

        return apply(
            operator,
            self.stack,
            make_sink(self.out, self.resume),
            tile=tile or self.stack.spatial_shape,
            margin=(0,) * len(self.stack.spatial_axes),
            time=self.time,
            dtype=self.dtype,
            provenance=self._provenance(psfs),
            identity=self._identity(psfs),
        )

    def _followed(
        self,
        events: Iterator[TileEvent],
        operator: DeconvolutionOperator,
        whole: bool,
        report: Callable[[Any], None],
    ) -> Stack:
        """Report every event and iteration; return the result."""
        from napari_blurgan.restoration.events import Finished, Planned

        for event in events:
            report(event)
            if isinstance(event, Planned) and operator.method.iterative:
                follower = _Follower(self, event.plan.tiles, whole, report)
                operator.parameters["callback"] = follower
            elif isinstance(event, Finished):
                return event.result
        raise AssertionError("the engine finishes or raises")

    def _with_background(self, report: Callable[[Any], None]) -> DeconvolutionRequest:
        level = estimated_background(self.stack, None, self.time)
        level = max(level - self.camera.get("offset", 0.0), 0.0)
        report(f"the background was estimated as {level:.4g}")
        return replace(self, background=level)

    @property
    def updates(self) -> int:
        """The maximum number of iterations per frame."""
        named = self.parameters
        return int(named.get("iterations", 1) * named.get("rounds", 1))

    def plan(self, report: Callable[[Any], None]) -> tuple[str, float]:
        """Return the requirements in words, and the seconds, by a trial."""
        from napari_blurgan.classical.memory import peak_bytes

        self._check_camera()
        psfs, _ = self._fitted()
        tile = self._tile(psfs)
        shape, frames = self.stack.spatial_shape, self._frames()
        pieces = math.prod(
            -(-n // t) for n, t in zip(shape, tile or shape, strict=True)
        )
        halo = [
            max(p.shape[-len(shape) :][i] for p in psfs) - 1 for i in range(len(shape))
        ]
        seen = [
            min(t + 2 * h, n)
            for t, h, n in zip(tile or shape, halo, shape, strict=True)
        ]
        need = max(peak_bytes(METHODS[self.method], seen, psf) for psf in psfs)
        work = (
            frames * pieces * math.prod(n + h for n, h in zip(seen, halo, strict=True))
        )
        cut = "in one piece" if tile is None else f"in {pieces} tiles"
        many = "1 frame" if frames == 1 else f"{frames} frames, each"
        return f"{many} {cut}, about {need / 1e9:.2g} GB", work * self._pace(psfs[0])

    def _check_camera(self) -> None:
        """Refuse what counts photo-electrons without the camera's figures."""
        from napari_blurgan.inverse.stopping import RULES

        rule = RULES.get(self.stop or "")
        counts = METHODS[self.method].counts or (rule is not None and rule.counts)
        if counts and not self.camera:
            raise DataError(
                "this method, or its stopping rule, counts photo-electrons: tick "
                "'Camera known' and enter the camera's figures, or choose another"
            )

    def _pace(self, psf: Psf) -> float:
        """Return the seconds per voxel of the domain, from a small trial."""
        from napari_blurgan.inverse.plan import Plan

        shape = tuple(
            map(min, TRIAL[-len(self.stack.spatial_shape) :], self.stack.spatial_shape)
        )
        method = METHODS[self.method]
        image = np.random.default_rng(0).poisson(50.0, shape) + self.camera.get(
            "offset", 0.0
        )
        few = {"iterations": 3} if method.iterative else {}
        if "rounds" in self.parameters:
            few["rounds"] = 1
        plan = Plan(psf, shape, self.stack.voxel_size, device=self._device())
        began = monotonic()
        method.function(image, plan, camera=self._camera(), **few)
        each = (monotonic() - began) / few.get("iterations", 1)
        return each * self.updates / math.prod(plan.blur.shape)

    def _frames(self) -> int:
        times = 1 if self.time is not None else self.stack.size("T")
        return times * self.stack.channels

    def _device(self) -> str:
        from napari_blurgan.devices import choose_device

        return str(choose_device(self.device))

    def _fitted(self) -> tuple[list[Psf], list[str]]:
        """Return the PSFs on the voxel grid of the image, with notes."""
        from napari_blurgan.inverse.psf_fit import fit_psf

        stack = self.stack
        if len(self.psfs) not in (1, stack.channels):
            raise DataError(
                f"{stack.name}: there are {len(self.psfs)} PSFs for {stack.channels} "
                "channels; give one for each, or one for all"
            )
        fits = [
            fit_psf(psf, stack.spatial_shape, stack.voxel_size) for psf in self.psfs
        ]
        return [psf for psf, _ in fits], [note for _, notes in fits for note in notes]

    def _provenance(self, psfs: list[Psf]) -> dict[str, Any]:
        from napari_blurgan.classical.images import provenance

        return provenance(self.method, psfs, self._numbers, self.stack)

    @property
    def _numbers(self) -> dict[str, Any]:
        return {
            **self.parameters,
            "background": self.background,
            **self.camera,
            "edges": self.edges,
            "stop": self.stop,
        }

    def _identity(self, psfs: list[Psf]) -> dict[str, Any]:
        """Return what must be the same for an unfinished result to be resumed."""
        return {
            "method": self.method,
            "PSF": [psf.digest() for psf in psfs],
            "parameters": self._numbers,
        }

    def _earlier_tile(self, psfs: list[Psf]) -> tuple[int, ...] | None:
        """Return the tile size of the run to resume, or a new one.

        The amount of free memory may have changed since.
        """
        from napari_blurgan.restoration.sinks import make_sink

        sink = make_sink(self.out, self.resume)
        earlier = sink.earlier_tile() if self.tile is None else None
        if earlier is None or len(earlier) != len(self.stack.spatial_shape):
            return self._tile(psfs)
        return None if earlier == self.stack.spatial_shape else earlier

    def _tile(self, psfs: list[Psf]) -> tuple[int, ...] | None:
        """Return the size of tiles, or None if a frame is deconvolved in one piece."""
        from napari_blurgan.classical.memory import tile_for

        if self.tile is not None:
            return self.tile
        method = METHODS[self.method]
        may_tile = method.tiles and self.stop is None
        shape = self.stack.spatial_shape
        return tile_for(method, shape, psfs, self._device(), may_tile, self.memory)

    def _operator(self, psfs: list[Psf], tiled: bool) -> DeconvolutionOperator:
        from napari_blurgan.classical.deconvolution_operator import (
            DeconvolutionOperator,
            channel_levels,
        )

        dark = (self.background or 0.0) + self.camera.get("offset", 0.0)
        return DeconvolutionOperator(
            METHODS[self.method],
            psfs,
            len(self.stack.spatial_axes),
            voxel_size=self.stack.voxel_size,
            device=self._device(),
            edges=self.edges,
            levels=channel_levels(self.stack, dark) if tiled else None,
            background=self.background or 0.0,
            camera=self._camera(),
            **self.parameters,
            **self._rule(),
        )

    def _camera(self) -> Any:
        from napari_blurgan.optics.camera import Camera

        return Camera(**self.camera) if self.camera else None

    def _rule(self) -> dict[str, Any]:
        if self.stop is None:
            return {}
        from napari_blurgan.inverse.stopping import RULES

        return {"stop": RULES[self.stop]()}


class _Follower:
    """Reports every iteration, and the estimate now and then; stops on request."""

    def __init__(
        self,
        request: DeconvolutionRequest,
        frames: int,
        whole: bool,
        report: Callable[[Any], None],
    ) -> None:
        self._enough, self._report, self._whole = request.enough, report, whole
        self._total = frames * request.updates
        self._done, self._last = 0, math.inf
        self._frame = -1
        self._channels = request.stack.channels
        self._only_time = request.time
        self._film = "T" in request.stack.axes
        self._due = 0.0

    def __call__(self, progress: Progress) -> bool:
        self._done += 1
        self._frame += progress.iteration == 1
        judged = len(progress.trace) - 1
        value = progress.trace[-1] if progress.trace else None
        self._report(Iterated(self._done, self._total, judged, value))
        if self._whole:
            self._show(progress)
        # Tiles of one image must not differ in their iterations.
        if self._whole and self._enough.is_set():
            self._last = min(self._last, progress.iteration)
        return progress.iteration >= self._last

    def _time(self) -> int | None:
        """Return the time point of the current frame: channels come one by one."""
        if not self._film:
            return None
        now = self._frame // self._channels
        return now if self._only_time is None else self._only_time

    def _show(self, progress: Progress) -> None:
        began = monotonic()
        if began >= self._due:
            self._report(Glimpse(progress.image(), self._time()))
            took = monotonic() - began
            self._due = began + max(EVERY, 10 * took)


def _said(operator: DeconvolutionOperator) -> list[str]:
    words = []
    for result in operator.results:
        words += list(result.notes)
        if result.criterion:
            several = "s"[: result.iterations != 1]
            words.append(f"{result.iterations} iteration{several}: {result.reason}.")
    return words
