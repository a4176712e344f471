"""`restore`: apply a model to an image."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypedDict, Unpack

import torch
from numpy.typing import DTypeLike

from napari_blurgan.checks import known_names, refuse_existing, refuse_input
from napari_blurgan.data.colour import without_alpha
from napari_blurgan.data.content import content_digest
from napari_blurgan.data.exposure import exposure_notes
from napari_blurgan.data.kspace import AXIS
from napari_blurgan.data.sections import VIEWS
from napari_blurgan.data.stack import PART, Stack
from napari_blurgan.devices import all_devices, choose_device
from napari_blurgan.errors import DataError
from napari_blurgan.export.foreign import is_package, open_package
from napari_blurgan.forward.kspace import KeepsLines
from napari_blurgan.inverse.psf_fit import usable
from napari_blurgan.models.draws import Draws, check_draws
from napari_blurgan.models.familiarity import unfamiliar
from napari_blurgan.models.inference import inference_precision, model_operator
from napari_blurgan.models.model import Model, load_model
from napari_blurgan.monitoring.notices import tell
from napari_blurgan.optics.psf import Psf
from napari_blurgan.provenance import provenance_of
from napari_blurgan.reading.conversion import ImageLike, as_stack, in_kind
from napari_blurgan.restoration.cluster import Cluster
from napari_blurgan.restoration.events import Event, Finished, Noted
from napari_blurgan.restoration.predict import ApplyOptions, apply
from napari_blurgan.restoration.sections import apply_sections
from napari_blurgan.restoration.sinks import Sink, make_sink
from napari_blurgan.tiling.operator import Operator

__all__ = ["RestoreOptions", "restore", "restoring"]

VOXEL_TOLERANCE = 0.1
_OF_MODELS = {"psf", "views", "scheduler", "keep_lines", "samples", "outputs"}
PathLike = str | os.PathLike[str]


class RestoreOptions(TypedDict, total=False):
    """The options of `restore`; see there."""

    axes: str | None
    voxel_size: Sequence[float | None] | None
    channel_axis: int | None
    psf: Psf | PathLike | None
    tile: Sequence[int] | None
    dtype: DTypeLike | None
    channel: int | None
    time: int | None
    device: str
    resume: bool
    overwrite: bool
    precision: str
    blend: bool | None
    scheduler: str | None
    views: Sequence[str] | None
    memory: int | None
    keep_lines: str | None
    samples: int | None
    outputs: Sequence[str] | None


def restore(
    model: Model | PathLike,
    source: ImageLike,
    out: PathLike | None = None,
    *,
    progress: Callable[[Event], None] | None = None,
    **options: Unpack[RestoreOptions],
) -> Any:
    """Apply a trained model to an image of any size.

    Parameters
    ----------
    model : Model or path-like
        The model, its folder, or a package of bioimage.io (.zip) that does not need
        to see the whole image at once.
    source : Stack, array-like, path-like or layer
        Image, in the grey levels that the model was trained on: a `Stack`, a file, an
        array (numpy, dask, zarr, torch) or an image layer of napari. Time points are
        restored one by one, and channels where the model takes one.
    out : path-like, optional
        ``.ome.tif``, ``.tif`` or ``.zarr``; the result stays in memory without.
    axes : str, optional
        One letter of TCZYXS for each axis, in either case; overrules what the source
        says. An array without is (y, x) or (z, y, x).
    voxel_size : sequence of (float or None), optional
        (z, y, x) in micrometres; overrules what the source says.
    channel_axis : int, optional
        Which axis of an array holds the channels.
    psf : Psf or path-like, optional
        Blur of this image where it is not the one that was trained for: of another
        wavelength, depth or microscope. Only for models that refine an estimate.
    tile : sequence of int, optional
        Voxels (z, y, x) or (y, x) that a tile writes; from the free memory by default.
    dtype : dtype-like, optional
        Of the result: float32 by default, of RGB the integers that the model imitates;
        ``"source"`` for that of the source.
    channel, time : int, optional
        The only channel or time point to restore, counted from 0.
    device : str
        ``"cpu"``, ``"cuda"``, ``"cuda:1"``…; ``"auto"`` takes all the GPUs there are.
    resume : bool
        Go on with the unfinished ``.zarr`` of an earlier run.
    overwrite : bool
        Whether a result that is there already may be replaced.
    precision : str
        ``"float32"``, ``"bfloat16"``, or ``"auto"``: bfloat16 where the device has
        instructions for it, float32 on a cluster.
    blend : bool, optional
        Smooth the seams; by default for models whose norm depends on the tile.
    scheduler : str, optional
        Address of a dask cluster that computes instead of this machine.
    memory : int, optional
        Bytes that the tiles may take of the device; half of what is free by default.
    views : sequence of str, optional
        For a model of planes: the mean of its results on ``"xy"``, ``"xz"`` and
        ``"yz"`` sections of the volume, its voxels made cubes; by default those that
        the model was trained on.
    keep_lines : str, optional
        ``"y"`` or ``"x"``, the axis of the phase encoding: for undersampled images of
        magnetic resonance. The lines of k-space that were measured are kept, only the
        others are those of the model.
    samples : int, optional
        Of a model that draws from a distribution (`divnoising`): number of draws, 100
        by default. Without `samples` and `outputs`, the result is the image of the
        means of the latent images, in one pass.
    outputs : sequence of str, optional
        What is made of the draws, as channels of the result in this order: ``"mean"``
        (the default), ``"sd"``, ``"mode"`` (the most probable image, by a mean shift),
        ``"samples"`` (each of them).
    progress : callable, optional
        Called with every event (`napari_blurgan.restoration.events`); without, notes
        are warnings of the logger "napari_blurgan", which Python prints.

    Returns
    -------
    array or Stack
        An array for an array, of the same package; else, and where there is `out`, a
        `Stack` with axes, voxel size and channel names of the source, lazy where it is
        in a file. In the grey levels of the model's output. It is complete.

    Raises
    ------
    DataError, AxesError
        If the image cannot be read, or does not fit the model; if there is something
        at `out` and `overwrite` is false.
    RecipeError
        If there is no such option.
    ModelFileError
        If the model cannot be read.
    OutOfMemoryError
        If not even the smallest tile fits the device.
    """
    result = None
    report = tell if progress is None else progress
    for event in restoring(model, source, out, **options):
        report(event)
        if isinstance(event, Finished):
            result = event.result
    assert result is not None  # `apply` finishes or raises
    return in_kind(source, result) if out is None else result


def restoring(
    model: Model | PathLike,
    source: ImageLike,
    out: PathLike | None = None,
    **options: Unpack[RestoreOptions],
) -> Generator[Event, None, None]:
    """Yield the events of `restore`, with the same parameters."""
    known_names("restore", options, RestoreOptions.__annotations__)
    if is_package(model):
        yield from _by_package(model, source, out, options)
        return
    stack = as_stack(
        source,
        axes=options.get("axes"),
        voxel_size=options.get("voxel_size"),
        channel_axis=options.get("channel_axis"),
    )
    _check_out(stack, out, options.get("overwrite", False))
    sink = make_sink(out, options.get("resume", False))
    psf, mended = _usable(options.get("psf"))
    loaded = _under(psf, model if isinstance(model, Model) else load_model(Path(model)))
    if loaded.channels[0] == 3:
        stack = without_alpha(stack)
    for note in (
        *stack.metadata.get("notes", ()),
        *mended,
        *_mismatch(loaded, stack),
        *_unfamiliar(loaded, stack, options.get("channel")),
        *exposure_notes(stack, options.get("channel"), options.get("time")),
    ):
        yield Noted(f"{stack.name}: {note}")
    yield from _carried(loaded, psf, stack, out, sink, options)


def _unfamiliar(model: Model, stack: Stack, channel: int | None) -> Iterator[str]:
    """Compare an image with the training; a small part of it may look different."""
    if not stack.metadata.get(PART):
        yield from unfamiliar(model, stack, channel)


def _by_package(
    path: Any, source: ImageLike, out: PathLike | None, options: RestoreOptions
) -> Iterator[Event]:
    """Restore with a network made elsewhere."""
    odd = set(options) & _OF_MODELS
    if any(options[name] for name in odd):  # type: ignore[literal-required]
        raise DataError(f"a package takes no {' or '.join(sorted(odd))}")
    how = {k: options.get(k) for k in ("axes", "voxel_size", "channel_axis")}
    stack = as_stack(source, **how)  # type: ignore[arg-type]
    _check_out(stack, out, options.get("overwrite", False))
    network = open_package(path, all_devices(options.get("device", "auto"))[0])
    chosen = ("tile", "channel", "time", "dtype", "memory")
    carried = ApplyOptions(**{k: options.get(k) for k in chosen})  # type: ignore[typeddict-item]
    if not network.tiled:
        yield Noted(
            f"{network.name} has an unknown receptive field and cannot be "
            f"applied in tiles"
        )
        carried["tile"] = stack.spatial_shape[-len(network.stride) :]
    carried["provenance"] = provenance_of(
        "restore", {"package": network.name, **_source(stack)}
    )
    sink = make_sink(out, options.get("resume", False))
    yield from apply(network, stack, sink, **carried)


def _carried(
    model: Model,
    psf: Psf | None,
    stack: Stack,
    out: PathLike | None,
    sink: Sink,
    options: RestoreOptions,
) -> Iterator[Event]:
    """Restore a checked image according to the request."""
    draws = check_draws(model, options.get("samples"), options.get("outputs"))
    cluster = _cluster(model, psf, options, draws)
    precision = _precision(options)
    places = all_devices("cpu" if cluster else options.get("device", "auto"))
    computed_in = inference_precision(precision, places[0])
    operators: list[Operator] = [
        model_operator(model, place, precision, draws) for place in places
    ]
    how = _apply_options(model, options)
    drawn = {} if draws is None else asdict(draws)
    how["provenance"] = _provenance(model, psf, stack, computed_in) | drawn
    how["identity"] = _identity(model, psf, computed_in) | drawn
    views = _views(model, options.get("views"))
    if (axis := options.get("keep_lines")) is not None:
        _check_lines(model, axis, cluster)
        kept: list[Operator] = [KeepsLines(o, axis) for o in operators]
        operators = kept
        how["identity"] = _identity(model, psf, computed_in) | {"kept lines": axis}
    if views == ("xy",) and not model.recipe.sampling.cubic:
        yield from apply(operators, stack, sink, cluster=cluster, **how)
    elif draws is not None:
        raise DataError("draws of several views have nothing in common: leave them out")
    elif cluster is not None:
        raise DataError("averages over several views cannot be computed on a cluster")
    else:
        yield from apply_sections(operators, stack, out, views, **how)


def _check_lines(model: Model, axis: str, cluster: Cluster | None) -> None:
    if axis not in AXIS:
        raise DataError(f"keep_lines is y or x, found {axis!r}")
    if model.recipe.values != "complex":
        raise DataError(
            f"only complex images have lines of k-space to be kept, which this model "
            f"({model.recipe.name}) does not take"
        )
    if cluster is not None:
        raise DataError("lines of k-space cannot be kept on a cluster")


def _apply_options(model: Model, options: RestoreOptions) -> ApplyOptions:
    """Return the options of `apply`: the given ones, and those of the model."""
    how = ApplyOptions(
        tile=options.get("tile"),
        channel=options.get("channel"),
        time=options.get("time"),
        dtype=options.get("dtype"),
        memory=options.get("memory"),
    )
    if model.colour and options.get("dtype") is None:
        how["dtype"] = _picture_dtype(model)
    blend = options.get("blend")
    depends_on_tile = model.recipe.reconstructor.depends_on_tile
    how["blend"] = depends_on_tile if blend is None else blend
    return how


def _precision(options: RestoreOptions) -> str:
    """Return the precision by name; one for all workers of a cluster.

    Workers may support different precisions, which must not show as seams.
    """
    wanted = options.get("precision", "auto")
    on_cluster = options.get("scheduler") is not None
    return "float32" if on_cluster and wanted == "auto" else wanted


def _cluster(
    model: Model, psf: Psf | None, options: RestoreOptions, draws: Draws | None
) -> Cluster | None:
    """Return the cluster that computes, if there is one."""
    scheduler = options.get("scheduler")
    if scheduler is None:
        return None
    if model.path is None:
        raise DataError("on a cluster, the model must be a folder; save it first")
    folder, device = model.path.absolute(), options.get("device", "auto")
    make = partial(_operator_from, folder, psf, device, _precision(options), draws)
    return Cluster(scheduler, make)


def _usable(psf: Psf | PathLike | None) -> tuple[Psf | None, tuple[str, ...]]:
    """Return the given PSF, and notes on corrections."""
    if psf is None:
        return None, ()
    return usable(psf if isinstance(psf, Psf) else Psf.load(Path(psf)))


def _views(model: Model, views: Sequence[str] | None) -> tuple[str, ...]:
    """Return the directions from which a volume is restored, checked."""
    chosen = tuple(views or model.recipe.sampling.views)
    if chosen != ("xy",) and model.recipe.dims != 2:
        raise DataError("a model of volumes needs no views: leave them out")
    wrong = set(chosen) - set(VIEWS)
    if wrong:
        raise DataError(
            f"there is no view {sorted(wrong)}; expected {', '.join(VIEWS)}"
        )
    return chosen


def _picture_dtype(model: Model) -> str | None:
    """Return the integer type of the pictures that a model imitates, for viewers."""
    known = [image["dtype"] for image in model.provenance.get("data", [])[-1:]]
    return next((d for d in known if d.startswith("uint")), None)


def _under(psf: Psf | None, model: Model) -> Model:
    return model if psf is None else model.with_psf(psf)


def _operator_from(
    path: Path,
    psf: Psf | None,
    device: str,
    precision: str,
    draws: Draws | None = None,
) -> Operator:
    model = _under(psf, load_model(path))
    return model_operator(model, choose_device(device), precision, draws)


def _check_out(stack: Stack, out: PathLike | None, overwrite: bool) -> None:
    if out is None:
        return
    origin = stack.metadata.get("source")
    if origin:
        refuse_input(out, origin)
    refuse_existing(out, overwrite)


def _mismatch(model: Model, stack: Stack) -> Iterator[str]:
    """Return notes if the voxel size differs from that of the training."""
    for axis, trained, found in zip(
        "zyx", model.voxel_size, stack.voxel_size, strict=True
    ):
        if trained and found and abs(found / trained - 1) > VOXEL_TOLERANCE:
            yield (
                f"its voxels are {found:.4g} µm long in {axis}, the model was trained "
                f"on {trained:.4g} µm; resample the image, or trust the result less"
            )


def _provenance(
    model: Model, psf: Psf | None, stack: Stack, precision: torch.dtype
) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "model": model.id,
        "recipe": model.recipe.name,
        "precision": str(precision).removeprefix("torch."),
        **_source(stack),
    }
    if psf is not None:
        facts["psf"] = psf.provenance | {"sha256": psf.digest()}
    return provenance_of("restore", facts)


def _source(stack: Stack) -> dict[str, str]:
    """Return the name and the SHA-256 of an image."""
    return {"source": stack.name, "content": content_digest(stack)}


def _identity(model: Model, psf: Psf | None, precision: torch.dtype) -> dict[str, Any]:
    """Return what must be the same for an unfinished result to be resumed."""
    return {
        "model": [model.id, model.digest()],
        "PSF": None if psf is None else psf.digest(),
        "precision": str(precision),
    }
