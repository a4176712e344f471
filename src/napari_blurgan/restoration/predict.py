"""Carry an image of any size through an operator, tile by tile."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any

from numpy.typing import DTypeLike

from napari_blurgan.reading.conversion import ImageLike, as_stack
from napari_blurgan.restoration.cluster import Cluster
from napari_blurgan.restoration.events import Event, Finished, Planned, Shrunk, TileDone
from napari_blurgan.restoration.rounding import Rounding, result_dtype
from napari_blurgan.restoration.run import Run
from napari_blurgan.restoration.sinks import MemorySink, Sink, Target
from napari_blurgan.tiling.layout import Layout
from napari_blurgan.tiling.operator import Operator
from napari_blurgan.tiling.plan import Plan, make_plan

__all__ = ["apply"]


def apply(
    operators: Operator | Sequence[Operator],
    source: ImageLike,
    sink: Sink | None = None,
    *,
    tile: Sequence[int] | None = None,
    channel: int | None = None,
    time: int | None = None,
    dtype: DTypeLike | None = None,
    margin: Sequence[int] | None = None,
    blend: bool = False,
    provenance: dict[str, Any] | None = None,
    cluster: Cluster | None = None,
    memory: int | None = None,
) -> Generator[Event, None, None]:
    """Restore `source` into `sink`, telling about every step.

    Reading, computing and writing overlap. If the device runs out of memory, tiles
    are computed in smaller pieces. The result is complete, or there is an error.

    Parameters
    ----------
    operators : Operator or sequence of Operator
        What restores; several copies, each on its own device, share the tiles.
    source : Stack, array-like, path-like or layer
        As `as_stack` takes it. Read tile by tile.
    sink : Sink, optional
        Where the result goes; memory by default.
    tile : sequence of int, optional
        Voxels that a tile writes; chosen from the free memory by default.
    channel, time : int, optional
        The only channel or time point to restore, counted from 0.
    dtype : dtype-like, optional
        Of the result: float32 by default; ``"source"`` for that of the source.
        Integers are rounded and clipped, and what was clipped is counted.
    margin : sequence of int, optional
        Voxels by which the volume is continued by reflection.
    blend : bool
        Smooth the seams, for operators whose statistics differ between tiles.
    provenance : dict, optional
        Written into the result.
    cluster : Cluster, optional
        Computes the tiles instead of this process.
    memory : int, optional
        Bytes that the tiles may take of the device; half of what is free by default.

    Yields
    ------
    Event
        `Planned`, then `TileDone` for each tile (and `Shrunk` where memory ran out),
        then `Finished`.

    Raises
    ------
    AxesError, DataError
        If the source does not fit or holds NaN.
    OutOfMemoryError
        If not even the smallest tile fits the device.
    """
    stack = as_stack(source)
    copies = [operators] if not isinstance(operators, Sequence) else list(operators)
    sink = MemorySink() if sink is None else sink
    layout = Layout(stack, copies[0], channel, time)
    rounding = Rounding(result_dtype(dtype, stack.data.dtype))
    plan = make_plan(
        layout,
        copies[0],
        rounding.dtype,
        tile=tile or sink.earlier_tile(),
        margin=margin,
        keep=sink.in_memory,
        free=None if cluster is None else cluster.free_bytes,
        memory=memory,
    )
    key = _key(layout, plan, rounding, blend, provenance or {})
    yield Planned(plan)
    target = Target(layout, rounding.dtype, plan.tiling.core, provenance or {}, key)
    run = Run(layout, plan, rounding, sink)
    done = sink.open(target)
    try:
        yield from _carried(run, copies, done, blend, cluster)
        result = sink.close()
    except BaseException:
        sink.abort()
        raise
    yield Finished(result, rounding.below, rounding.above)


def _carried(
    run: Run,
    copies: Sequence[Operator],
    done: set[int],
    blend: bool,
    cluster: Cluster | None,
) -> Iterator[TileDone | Shrunk]:
    """Compute and write what is not done yet, where and how it was asked for."""
    if cluster is not None:
        return cluster.tiled(run, done)
    return run.blended(copies, done) if blend else run.tiled(copies, done)


def _key(
    layout: Layout,
    plan: Plan,
    rounding: Rounding,
    blend: bool,
    provenance: dict[str, Any],
) -> dict[str, Any]:
    """Return what must not change when a restoration is resumed."""
    source = layout.source
    return {
        "source": source.metadata.get("source", source.name),
        "axes": source.axes,
        "shape": list(source.data.shape),
        "times": list(layout.times),
        "groups": [list(group) for group in layout.groups],
        "core": list(plan.tiling.core),
        "halo": list(plan.tiling.halo),
        "margin": list(plan.tiling.margin),
        "dtype": rounding.dtype.name,
        "blend": blend,
        "model": provenance.get("model"),
        "precision": provenance.get("precision"),
        "psf": provenance.get("psf"),
    }
