"""`evidence`: maps of where a restoration is supported by its image."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.checks import known_names, refuse_existing
from napari_blurgan.classical.images import PsfSource, as_psf
from napari_blurgan.data.content import content_digest
from napari_blurgan.data.exposure import exposure_notes
from napari_blurgan.data.stack import Stack
from napari_blurgan.devices import choose_device
from napari_blurgan.errors import DataError
from napari_blurgan.inverse.plan import Plan
from napari_blurgan.inverse.psf_fit import fit_psf
from napari_blurgan.memory import available_memory
from napari_blurgan.methods.parts import DISTRIBUTION, WAY_BACK
from napari_blurgan.models.model import Model, load_model
from napari_blurgan.optics.camera import Camera
from napari_blurgan.optics.symmetry import Symmetry
from napari_blurgan.provenance import provenance_of
from napari_blurgan.reading.conversion import ImageLike, as_stack
from napari_blurgan.restoration.events import Event, Finished, Noted
from napari_blurgan.restoration.predict import apply
from napari_blurgan.restoration.sinks import make_sink
from napari_blurgan.tasks.restore import restore
from napari_blurgan.trust.evidence_operator import EvidenceOperator
from napari_blurgan.trust.expectation import Levels
from napari_blurgan.trust.levels import coverage_error, find_levels, middle_of
from napari_blurgan.trust.pair import beside, check_pair
from napari_blurgan.trust.repeats import disagreement, halves, turns
from napari_blurgan.trust.report import Report, summed_up

__all__ = ["REPEATS", "Evidence", "EvidenceOptions", "evidence"]

PathLike = str | os.PathLike[str]
Image = NDArray[np.float32]

REPEATS = ("halves", "turns", "draws")
"""Ways of repeating a restoration; evidence must exceed the variation of each."""

DRAWS = 20
"""Draws, of a model that has many answers."""

BYTES = 64
"""Of memory that repeated restorations take for each voxel."""

TOO_LARGE = (
    "the image is too large to be restored again in memory: the maps say nothing of "
    "repeated restorations"
)

NULL_SPACE = (
    "the maps see nothing that the microscope does not let through: detail finer than "
    "the PSF may be invented and pass"
)


@dataclass(frozen=True)
class Evidence:
    """Maps and figures of one restoration.

    Attributes
    ----------
    maps : Stack
        (c, [t,] [z,] y, x), float32: evidence (0 to 1; 1: supported by the data),
        residual (standard deviations of the noise; below zero light was invented,
        above zero lost), light (restored light in standard deviations of the noise),
        error (by how much the restored light is likely to be wrong, in its grey levels,
        as a mean over the neighbourhood of a PSF).
    report : Report
        Figures.
    notes : tuple of str
        What was done to the PSF, and what the maps cannot see.
    """

    maps: Stack
    report: Report
    notes: tuple[str, ...] = ()


class EvidenceOptions(TypedDict, total=False):
    """Options for reading the images and computing the maps; see `evidence`."""

    axes: str | None
    voxel_size: Sequence[float | None] | None
    channel: int | None
    out: PathLike | None
    tile: Sequence[int] | None
    device: str
    resume: bool
    overwrite: bool


def evidence(
    measured: ImageLike,
    restored: ImageLike,
    *,
    psf: PsfSource | None = None,
    model: Model | PathLike | None = None,
    also: Sequence[Model | PathLike] = (),
    camera: Camera | None = None,
    repeats: Sequence[str] = REPEATS,
    progress: Callable[[Event], None] | None = None,
    **options: Unpack[EvidenceOptions],
) -> Evidence:
    """Map where a restoration is supported by the image from which it was made.

    Parameters
    ----------
    measured : Stack, array-like, path-like or layer
        The image, in grey levels as they were recorded.
    restored : Stack, array-like, path-like or layer
        Its restoration by whatever means, in the same voxels.
    psf : Psf, Optics, array-like or path-like, optional
        Blur of the measured image; that of the model by default.
    model : Model or path-like, optional
        What restored it. It is asked to restore again, as `repeats` says.
    also : sequence of Model or path-like
        Models that might have restored it as well: checkpoints of the same training,
        or better, trainings with other seeds. Each restores the image once.
    camera : Camera, optional
        Gain, offset and read noise; estimated from the image by default.
    repeats : sequence of str
        With a model: ``"halves"`` of the light are restored, ``"turns"`` of the image
        (mirror images, quarter turns, half a pixel of shift), and ``"draws"`` are made
        if it draws from a distribution. Needs the image in memory, and is left out for
        those that are too large; none of them without a model.
    axes, voxel_size
        Of both images, as in `restore`.
    channel : int, optional
        Of images of several channels, counted from 0.
    out : path-like, optional
        ``.ome.tif``, ``.tif`` or ``.zarr``; the maps stay in memory without.
    tile, device, resume, overwrite, progress
        As in `restore`.

    Raises
    ------
    DataError, AxesError
        If an image cannot be read, if the two do not fit, or neither PSF nor model
        says how the image is blurred, or if there are other models without a first.
    OpticsError
        If the PSF is none.
    RecipeError
        If there is no such option.
    """
    known_names("evidence", options, EvidenceOptions.__annotations__)
    first, second = (_one_channel(image, options) for image in (measured, restored))
    check_pair(first, second)
    out, device = options.get("out"), options.get("device", "auto")
    if out is not None:
        refuse_existing(out, options.get("overwrite", False))
    if also and model is None:
        raise DataError("other models are compared with the first, which is missing")
    loaded = None if model is None else _loaded(model)
    others = [_loaded(one) for one in also]
    kernel, fitted = _kernel(first, psf, loaded)
    _check_repeats(repeats)
    again = loaded is not None and bool(repeats or others)
    large = again and not _repeatable(first)
    if large or loaded is None:
        repeats, others = (), []
    notes = (*fitted, *exposure_notes(first), *([TOO_LARGE] if large else []))
    dims = len(first.spatial_axes) if kernel is None else kernel.ndim
    levels, coverage = _levels(first, second, kernel, dims, camera)
    spreads = [
        first.with_data(image)
        for image in _spreads(loaded, others, first, levels, repeats, device)
    ]
    operator = EvidenceOperator(
        kernel, dims, levels, len(spreads), choose_device(device)
    )
    maps = _carried(
        apply(
            operator,
            beside([first, second, *spreads]),
            make_sink(out, options.get("resume", False)),
            tile=options.get("tile"),
            margin=(0,) * dims,
            provenance=_provenance(first, second, loaded, others, levels, repeats),
            identity=_identity(kernel, levels, repeats, others),
        ),
        (*notes, NULL_SPACE),
        progress,
    )
    report = summed_up(maps, second, levels, coverage)
    return Evidence(maps, report, (*notes, NULL_SPACE))


def _identity(
    kernel: Image | None,
    levels: Levels,
    repeats: Sequence[str],
    others: Sequence[Model],
) -> dict[str, Any]:
    """Return what, besides the images, must be the same for maps to be resumed."""
    values = b"" if kernel is None else np.ascontiguousarray(kernel).tobytes()
    named = {"other models": [one.id for one in others]} if others else {}
    return named | {
        "PSF": hashlib.sha256(values).hexdigest(),
        "camera or levels": repr(levels),
        "repeats": list(repeats),
    }


def _loaded(model: Model | PathLike) -> Model:
    return model if isinstance(model, Model) else load_model(Path(model))


def _one_channel(image: ImageLike, options: EvidenceOptions) -> Stack:
    stack = as_stack(
        image, axes=options.get("axes"), voxel_size=options.get("voxel_size")
    )
    channel = options.get("channel")
    if channel is not None:
        return stack.only_channel(channel)
    return stack.only_channel(0) if stack.channels == 1 else stack


def _kernel(
    stack: Stack, psf: PsfSource | None, model: Model | None
) -> tuple[Image | None, tuple[str, ...]]:
    """Return the blur on the voxel grid of the image, or None without a blur."""
    given = psf if psf is not None else _psf_of(model)
    if given is None:
        return None, ()
    known = as_psf(given, stack)
    if isinstance(known, Plan):
        raise DataError("a plan is for deconvolution; give the PSF that it is of")
    fitted, notes = fit_psf(known, stack.spatial_shape, stack.voxel_size)
    return fitted.data[0] if fitted.shape[0] == 1 else fitted.data, notes


def _psf_of(model: Model | None) -> PsfSource | None:
    """Return the blur that a model removes; None for a denoising model.

    Raises
    ------
    DataError
        If nothing says how the image is blurred.
    """
    if model is None:
        raise DataError("give a PSF, or the model that restored the image")
    if model.psf is not None:
        return model.psf
    recipe = model.recipe
    if recipe.source.domains == 1 and WAY_BACK not in recipe.forward.offers:
        return None
    raise DataError(
        f"the model ({recipe.name}) does not know how the image is blurred: give a PSF"
    )


def _levels(
    measured: Stack,
    restored: Stack,
    kernel: Image | None,
    dims: int,
    camera: Camera | None,
) -> tuple[Levels, float]:
    """Return units, noise and the fit of the noise, measured in the middle."""
    seen, made = (_part(stack, dims) for stack in (measured, restored))
    levels = find_levels(seen, made, kernel, camera)
    return levels, coverage_error(seen, made, kernel, levels)


def _part(stack: Stack, dims: int) -> Image:
    """Return the middle of an image, ([z,] y, x); for planes the middle plane."""
    shape = stack.spatial_shape
    middle = middle_of(shape)
    index = [0] * (stack.ndim - len(shape)) + list(middle)
    if dims < len(shape):
        index[-3] = shape[0] // 2
    part = np.asarray(stack.data[tuple(index)], np.float32)
    if not np.isfinite(part).all():
        raise DataError(f"{stack.name}: contains NaN or infinite values")
    return np.ascontiguousarray(part)


def _check_repeats(repeats: Sequence[str]) -> None:
    wrong = set(repeats) - set(REPEATS)
    if wrong:
        raise DataError(
            f"no repetition is called {min(wrong)!r}; there are {', '.join(REPEATS)}"
        )


def _repeatable(measured: Stack) -> bool:
    """Return whether an image may be restored again in memory."""
    return BYTES * math.prod(measured.shape) < available_memory()


def _spreads(
    model: Model | None,
    others: Sequence[Model],
    measured: Stack,
    levels: Levels,
    repeats: Sequence[str],
    device: str,
) -> Iterator[Image]:
    if model is None:
        return
    again = _restoring(model, device)
    if "halves" in repeats:
        yield halves(again, measured, levels)
    if "turns" in repeats:
        symmetry = Symmetry() if model.blur is None else model.blur.symmetry
        yield turns(again, measured, symmetry)
    if "draws" in repeats and DISTRIBUTION in model.recipe.offers:
        drawn = again(measured, samples=DRAWS, outputs=["sd"])
        yield np.asarray(drawn, np.float32).reshape(measured.shape)
    if others:
        ways = [again, *(_restoring(one, device) for one in others)]
        yield disagreement(ways, measured)


def _restoring(model: Model, device: str) -> Callable[..., Stack]:
    """Return what restores in memory, without notes: they were already reported."""
    return partial(restore, model, device=device, progress=lambda event: None)


def _carried(
    events: Iterator[Event],
    notes: tuple[str, ...],
    progress: Callable[[Event], None] | None,
) -> Stack:
    report = progress or (lambda event: None)
    for note in notes:
        report(Noted(note))
    for event in events:
        report(event)
        if isinstance(event, Finished):
            return event.result
    raise AssertionError("the engine finishes or raises")


def _provenance(
    measured: Stack,
    restored: Stack,
    model: Model | None,
    others: Sequence[Model],
    levels: Levels,
    repeats: Sequence[str],
) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "source": measured.name,
        "content": content_digest(measured),
        "restored": restored.name,
        "restored content": content_digest(restored),
        "levels": [levels.scale, levels.background, levels.slope, levels.intercept],
    }
    if model is not None:
        facts |= {"model": model.id, "recipe": model.recipe.name}
        facts["repeats"] = list(repeats)
    if others:
        facts["other models"] = [one.id for one in others]
    return provenance_of("evidence", facts)
