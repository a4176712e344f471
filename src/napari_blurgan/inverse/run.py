"""From arrays to a method and back: what all functions have in common."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypedDict

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from napari_blurgan.axes import VoxelSize
from napari_blurgan.devices import is_out_of_memory
from napari_blurgan.errors import DataError, OutOfMemoryError
from napari_blurgan.inverse.blur import Edges
from napari_blurgan.inverse.frame import as_frame, background_note
from napari_blurgan.inverse.iteration import Callback, iterate
from napari_blurgan.inverse.observation import Observation
from napari_blurgan.inverse.plan import Plan
from napari_blurgan.inverse.psf_fit import PsfLike
from napari_blurgan.inverse.result import Deconvolution
from napari_blurgan.inverse.steps import Steps
from napari_blurgan.inverse.stopping import StoppingRule
from napari_blurgan.optics.camera import Camera

__all__ = [
    "DirectOptions",
    "Options",
    "finite",
    "memory_reported",
    "observe",
    "plan_for",
    "run",
]

TOO_LITTLE = (
    "not enough memory to deconvolve the image in one piece: crop the PSF, or work "
    "in tiles"
)
LARGEST = 1e15  # limit of intensities, of which float32 must hold sums of products


class DirectOptions(TypedDict, total=False):
    """Parameters of every method besides the image and the PSF.

    Attributes
    ----------
    background : float
        Light that does not come from the object and, without `camera`, the camera's
        offset; in grey levels. It is modelled, not subtracted, and absent from the
        result. Zero by default.
    camera : Camera
        Offset, gain and read noise. The image is deconvolved in photo-electrons, read
        noise standing as a pedestal of its variance (Snyder et al., JOSA A 10, 1014,
        1993): sharper and faster than taking the offset for light.
    voxel_size : tuple of (float or None)
        (z, y, x) of the image in micrometres, to which the PSF is resampled; its own
        voxels by default.
    edges : {"extend", "periodic"}
        What lies beyond the field of view: whatever explains the image best (default),
        or the opposite edge.
    device : str
        Where to compute: "cpu", "cuda", "cuda:1", "mps", or "auto", the default: a CUDA
        device if there is one, else Apple's, else the CPU.
    """

    background: float
    camera: Camera | None
    voxel_size: VoxelSize | None
    edges: Edges
    device: str | None


class Options(DirectOptions, total=False):
    """Further parameters of every iterative method.

    Attributes
    ----------
    start : ndarray or float
        First estimate: non-negative, in the shape and units of the image; or the grey
        level of a flat one, by default the image's mean above the background. A noisy
        start leaves its noise in the result.
    stop : StoppingRule
        When to stop before all the iterations; never by default.
    callback : callable
        Called with a `Progress` after each iteration; returns True to stop.
    """

    start: NDArray[np.floating] | float | None
    stop: StoppingRule | None
    callback: Callback | None


Method = Callable[[Observation, Tensor | None], Steps]


@torch.no_grad()
def run(
    method: Method,
    image: ArrayLike,
    psf: PsfLike | Plan,
    iterations: int,
    options: Options,
) -> Deconvolution:
    """Deconvolve an array with an iterative method."""
    if iterations < 1:
        raise DataError(f"deconvolution needs at least one iteration, not {iterations}")
    with memory_reported():
        observation, plan, notes = observe(image, psf, options)
        start, rule = options.get("start"), options.get("stop")
        if isinstance(start, (int, float)):
            level = start / observation.scale
            observation, start = replace(observation, level=level), None
        if rule is not None:
            _check_counts(rule, options)
            observation = rule.begin(observation)
        steps = method(observation, _first(observation, start))
        outcome = iterate(steps, iterations, rule, options.get("callback"))
        return Deconvolution(
            finite(observation.result(outcome.estimate)),
            plan.psf,
            outcome.iterations,
            outcome.reason,
            rule.criterion if rule else "",
            outcome.trace,
            notes,
        )


def observe(
    image: ArrayLike,
    psf: PsfLike | Plan,
    options: DirectOptions,
    *,
    signed: bool = False,
) -> tuple[Observation, Plan, tuple[str, ...]]:
    """Check an image, adapt the PSF and set up the model that connects them.

    Counts are not negative: unless `signed`, negative values become zero.

    Raises
    ------
    DataError
        If the pixels cannot be used, or a plan is for another shape.
    """
    frame, found = as_frame(image, signed)
    plan = plan_for(frame, psf, options)
    if plan.shape != frame.shape:
        raise DataError(f"a plan for {plan.shape} does not fit {frame.shape}")
    background = options.get("background", 0.0)
    camera = options.get("camera")
    # A tile starts at the level of the whole image and may lie below the background.
    if not signed and not isinstance(options.get("start"), (int, float)):
        note = background_note(frame, background + (camera.offset if camera else 0.0))
        found = (*found, note) if note else found
    unit = _unit(frame, camera)
    if camera:
        frame = (frame - camera.offset) / unit + camera.read_noise**2
        background = background / unit + camera.read_noise**2
    elif unit != 1:
        frame = np.divide(frame, unit, dtype=np.float64).astype(np.float32)
        background = background / unit
    pixels = torch.from_numpy(frame).to(plan.device)
    observation = Observation(
        pixels if signed else pixels.clamp(min=0),
        plan.blur,
        background,
        plan.spacing,
        scale=unit,
    )
    return observation, plan, (*plan.notes, *found)


def _unit(frame: NDArray[np.float32], camera: Camera | None) -> float:
    """Return the grey levels per unit: those of a photo-electron, if known.

    Otherwise one, or a power of two if products of such large or small values would
    leave the range of float32.
    """
    peak = float(np.abs(frame).max())
    if camera is not None:
        if peak / camera.gain > LARGEST:
            raise DataError(
                f"at a gain of {camera.gain:g} the brightest voxel, {peak:.3g}, would "
                f"hold {peak / camera.gain:.3g} photo-electrons: check the gain"
            )
        return camera.gain
    if peak == 0 or 1 / LARGEST <= peak <= LARGEST:
        return 1.0
    return float(2.0 ** math.floor(math.log2(peak)))


def finite(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a result, or raise DataError if it is not finite."""
    if not np.isfinite(image).all():
        raise DataError(
            "the result left the range of float32: the image, its background or its "
            "PSF hold values too large or too small; scale the image"
        )
    return image


def plan_for(image: ArrayLike, psf: PsfLike | Plan, options: DirectOptions) -> Plan:
    """Return the given plan, or one made for the image."""
    if isinstance(psf, Plan):
        return psf
    return Plan(
        psf,
        np.shape(image),
        options.get("voxel_size"),
        edges=options.get("edges", "extend"),
        device=options.get("device"),
    )


def _first(
    observation: Observation, start: NDArray[np.floating] | None
) -> Tensor | None:
    if start is None:
        return None
    estimate, _ = as_frame(start)
    if estimate.shape != observation.blur.image_shape:
        raise DataError(
            f"the start has shape {estimate.shape}, the image "
            f"{observation.blur.image_shape}"
        )
    given = torch.from_numpy(estimate).to(observation.image.device)
    return given.clamp(min=0) / observation.scale


def _check_counts(rule: StoppingRule, options: Options) -> None:
    if rule.counts and options.get("camera") is None:
        raise DataError(
            f"the {rule.criterion} is judged in photo-electrons: give the camera's "
            "gain, offset and read noise"
        )


@contextmanager
def memory_reported() -> Iterator[None]:
    """Turn a failed allocation, on any device, into our own error."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemoryError(TOO_LITTLE) from error
