"""Apply an operator to an image of any size, tile by tile."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any, TypedDict, Unpack

from numpy.typing import DTypeLike

from napari_blurgan.checks import known_names
from napari_blurgan.data.content import content_digest
from napari_blurgan.data.stack import Stack
from napari_blurgan.memory import release_memory
from napari_blurgan.reading.conversion import ImageLike, as_stack
from napari_blurgan.restoration.cluster import Cluster
from napari_blurgan.restoration.events import Event, Finished, Planned, Shrunk, TileDone
from napari_blurgan.restoration.rounding import Rounding, result_dtype
from napari_blurgan.restoration.run import Run
from napari_blurgan.restoration.sinks import MemorySink, Sink, Target
from napari_blurgan.tiling.layout import Layout
from napari_blurgan.tiling.operator import Operator
from napari_blurgan.tiling.plan import make_plan

__all__ = ["ApplyOptions", "apply"]


class ApplyOptions(TypedDict, total=False):
    """How an operator is applied.

    Attributes
    ----------
    tile : sequence of int or None
        Voxels that a tile writes; chosen from the free memory by default.
    channel, time : int or None
        The only channel or time point to restore, counted from 0.
    dtype : dtype-like or None
        Of the result: float32 by default; ``"source"`` for that of the source.
        Integers are rounded and clipped, and what was clipped is counted.
    margin : sequence of int or None
        Voxels by which the volume is continued by reflection.
    blend : bool
        Smooth the seams, for operators whose statistics differ between tiles.
    provenance : dict or None
        Written into the result.
    identity : dict or None
        What makes the operator what it is, as JSON can hold it: model, method, PSF,
        parameters. An unfinished result is gone on with only where it is the same.
    memory : int or None
        Bytes that the tiles may take of the device; half of what is free by default.
    """

    tile: Sequence[int] | None
    channel: int | None
    time: int | None
    dtype: DTypeLike | None
    margin: Sequence[int] | None
    blend: bool
    provenance: dict[str, Any] | None
    identity: dict[str, Any] | None
    memory: int | None


def apply(
    operators: Operator | Sequence[Operator],
    source: ImageLike,
    sink: Sink | None = None,
    *,
    cluster: Cluster | None = None,
    **options: Unpack[ApplyOptions],
) -> Generator[Event, None, None]:
    """Restore `source` into `sink`, reporting every step.

    Reading, computing and writing overlap. If the device runs out of memory, tiles are
    computed in smaller pieces. The result is either complete or an error.

    Parameters
    ----------
    operators : Operator or sequence of Operator
        What restores; several copies, each on its own device, share the tiles.
    source : Stack, array-like, path-like or layer
        As `as_stack` takes it. Read tile by tile.
    sink : Sink, optional
        Where the result goes; memory by default.
    cluster : Cluster, optional
        Computes the tiles instead of this process.
    **options
        As `ApplyOptions` says.

    Yields
    ------
    Event
        `Planned`, then `TileDone` for each tile (and `Shrunk` where memory ran out),
        then `Finished`.

    Raises
    ------
    AxesError, DataError
        If the source does not fit or holds NaN.
    RecipeError
        If there is no such option.
    OutOfMemoryError
        If not even the smallest tile fits the device.
    """
    known_names("apply", options, ApplyOptions.__annotations__)
    copies = [operators] if not isinstance(operators, Sequence) else list(operators)
    sink = MemorySink() if sink is None else sink
    run = _run(as_stack(source), copies[0], sink, cluster, options)
    yield Planned(run.plan)
    blend, provenance = options.get("blend", False), options.get("provenance") or {}
    key = _key(run, blend, options.get("identity") or {}) if sink.resumable else {}
    core, dtype = run.plan.tiling.core, run.rounding.dtype
    done = sink.open(Target(run.layout, dtype, core, provenance, key))
    try:
        yield from _carried(run, copies, done, blend, cluster)
        result = sink.close()
    except BaseException:
        sink.abort()
        raise
    finally:
        release_memory()  # a session makes many results of many sizes
    yield Finished(result, run.rounding.below, run.rounding.above)


def _run(
    stack: Stack,
    operator: Operator,
    sink: Sink,
    cluster: Cluster | None,
    options: ApplyOptions,
) -> Run:
    """Return the planned run."""
    layout = Layout(stack, operator, options.get("channel"), options.get("time"))
    rounding = Rounding(result_dtype(options.get("dtype"), stack.data.dtype))
    plan = make_plan(
        layout,
        operator,
        rounding.dtype,
        tile=options.get("tile") or sink.earlier_tile(),
        margin=options.get("margin"),
        keep=sink.in_memory,
        free=None if cluster is None else cluster.free_bytes,
        memory=options.get("memory"),
    )
    return Run(layout, plan, rounding, sink)


def _carried(
    run: Run,
    copies: Sequence[Operator],
    done: set[int],
    blend: bool,
    cluster: Cluster | None,
) -> Iterator[TileDone | Shrunk]:
    """Compute and write the remaining tiles or frames."""
    if cluster is not None:
        return cluster.tiled(run, done)
    return run.blended(copies, done) if blend else run.tiled(copies, done)


def _key(run: Run, blend: bool, identity: dict[str, Any]) -> dict[str, Any]:
    """Return what must not change when a restoration is resumed."""
    layout, tiling = run.layout, run.plan.tiling
    return {
        "image": content_digest(layout.source),
        "frames": [list(layout.times), [list(group) for group in layout.groups]],
        "core": list(tiling.core),
        "tiles": [list(tiling.halo), list(tiling.margin), blend],
        "pixel type": run.rounding.dtype.name,
        **identity,
    }
