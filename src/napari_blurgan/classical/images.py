"""Deconvolution of images with any axes, each channel with its PSF."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.axes import FOCAL_DEPTH, ArrayLike
from napari_blurgan.checks import did_you_mean
from napari_blurgan.classical.keywords import understood
from napari_blurgan.classical.methods import METHODS, Method
from napari_blurgan.data.colour import without_alpha
from napari_blurgan.data.content import content_digest
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError, OpticsError, RecipeError
from napari_blurgan.inverse.plan import Plan
from napari_blurgan.inverse.psf_fit import PsfLike, psf_shape_for
from napari_blurgan.inverse.result import Deconvolution
from napari_blurgan.memory import release_memory
from napari_blurgan.optics.models import Optics, theoretical_psf
from napari_blurgan.optics.psf import Psf
from napari_blurgan.provenance import provenance_of
from napari_blurgan.reading.conversion import ImageLike, as_stack

__all__ = ["PsfSource", "as_psf", "deconvolve", "deconvolve_stack", "provenance"]

PsfSource = Psf | Plan | Optics | ArrayLike | str | os.PathLike[str]


def deconvolve(
    image: ImageLike,
    psf: PsfSource | Sequence[PsfSource],
    method: str = "rl",
    *,
    axes: str | None = None,
    voxel_size: Sequence[float | None] | None = None,
    channel_axis: int | None = None,
    **parameters: Any,
) -> Deconvolution:
    """Deconvolve an image with a method by its name.

    Parameters
    ----------
    image : Stack, array-like, path-like or layer
        A `Stack`, a file, an array (numpy, dask, zarr, torch) or an image layer of
        napari, of any real type. Time points and channels are deconvolved one by one.
    psf : Psf, ndarray, path-like, Optics or Plan, or a sequence of them
        The blur: one for all channels, or one for each. An array, (z, y, x) or (y, x),
        has the voxels of the image. Centred, resampled and cropped as needed; from
        `Optics` the theoretical one, which needs the voxel size of the image.
    method : str
        One of `METHODS`: "rl", "rl-accelerated", "rl-tv", "rlgc", "rl-blind",
        "wiener", "tikhonov".
    axes : str, optional
        One letter of TCZYXS for each axis of the image, in either case; an array
        without is (y, x) or (z, y, x).
    voxel_size : sequence of (float or None), optional
        (z, y, x) of the image in micrometres; overrules what the image says.
    channel_axis : int, optional
        Which axis of an array holds the channels.
    **parameters
        Those of the method, such as `iterations` (or `num_iter`), and the options of
        `napari_blurgan.inverse.run.Options`.

    Returns
    -------
    Deconvolution
        Its ``image`` is an array in the axes of what was given, ``stack`` the same with
        the voxel size; ``save`` writes it.

    Raises
    ------
    RecipeError
        If there is no such method, or it takes no such keyword.
    DataError
        If the pixels cannot be used, or a value is out of its range.
    AxesError
        If the axes of the image are not known.
    OpticsError
        If the PSF is none.

    Examples
    --------
    >>> result = deconvolve(image, psf, iterations=50, voxel_size=(0.3, 0.1, 0.1))
    >>> result.save("deconvolved.ome.tif")
    """
    if not isinstance(method, str) or method not in METHODS:
        raise RecipeError(
            f"no method {method!r}{did_you_mean(str(method), METHODS)}; there are "
            f"{', '.join(METHODS)}"
        )
    stack = as_stack(image, axes=axes, voxel_size=voxel_size, channel_axis=channel_axis)
    return deconvolve_stack(stack, psf, METHODS[method], parameters)


def deconvolve_stack(
    stack: Stack,
    psf: PsfSource | Sequence[PsfSource],
    method: Method,
    parameters: Mapping[str, Any],
) -> Deconvolution:
    """Deconvolve every time point and channel; see `deconvolve`."""
    words = understood(method.function, (stack, psf), parameters)
    stack = without_alpha(stack)
    plans = _plans(stack, psf, words)
    results = [
        method.function(stack.frame(time, channel)[0], plans[channel], **words)
        for time in range(stack.size("T"))
        for channel in range(stack.channels)
    ]
    release_memory()
    joined = replace(
        results[0],
        image=_joined(stack, [result.image for result in results]),
        iterations=max(result.iterations for result in results),
        reason="; ".join(dict.fromkeys(result.reason for result in results)),
        notes=tuple(
            dict.fromkeys(
                note
                for found in (stack.metadata.get("notes", ()), *map(_notes, results))
                for note in found
            )
        ),
        axes=stack.axes,
        voxel_size=stack.voxel_size,
        name=stack.name,
        channel_names=stack.channel_names,
        acquisition=stack.metadata.get("acquisition"),
    )
    numbers = {k: v for k, v in words.items() if isinstance(v, int | float)}
    made = provenance(method.name, [joined.psf], numbers, stack)
    return replace(joined, provenance=made)


def as_psf(psf: PsfSource, stack: Stack) -> PsfLike | Plan:
    """Return a PSF given in any form, or computed for an image.

    Raises
    ------
    OpticsError
        If it is none, or `Optics` meet an image without voxel size.
    """
    if isinstance(psf, str | os.PathLike):
        return Psf.load(os.fspath(psf))
    if isinstance(psf, Optics):
        return _theoretical(psf, stack)
    if isinstance(psf, Psf | Plan):
        return psf
    if not hasattr(psf, "shape"):
        raise OpticsError(
            f"a PSF is a Psf, an array, a path or Optics, found {type(psf).__name__}"
        )
    return np.asarray(psf.detach().cpu() if hasattr(psf, "detach") else psf)


def _theoretical(optics: Optics, stack: Stack) -> Psf:
    sizes = dict(zip("ZYX", stack.voxel_size, strict=True))
    if any(sizes[axis] is None for axis in stack.spatial_axes):
        raise OpticsError(
            f"{stack.name}: optics require the voxel size; give "
            "voxel_size=(z, y, x) in µm"
        )
    z, y, x = (size or FOCAL_DEPTH for size in stack.voxel_size)
    shape = psf_shape_for(optics, stack.spatial_shape, (z, y, x))
    return theoretical_psf(optics, shape, (z, y, x))


def _plans(
    stack: Stack, psf: PsfSource | Sequence[PsfSource], words: dict[str, Any]
) -> list[Plan]:
    """Return the PSF of each channel; removes from `words` what it uses."""
    several: Sequence[Any] = psf if isinstance(psf, list | tuple) else [psf]
    if len(several) not in (1, stack.channels):
        raise DataError(
            f"{stack.name}: there are {len(several)} PSFs for {stack.channels} "
            "channels; give one for each, or one for all"
        )
    edges, device = words.pop("edges", "extend"), words.pop("device", None)
    plans = [
        known
        if isinstance(known, Plan)
        else Plan(
            known, stack.spatial_shape, stack.voxel_size, edges=edges, device=device
        )
        for known in (as_psf(one, stack) for one in several)
    ]
    return plans * stack.channels if len(plans) == 1 else plans


def _notes(result: Deconvolution) -> tuple[str, ...]:
    return result.notes


def _joined(stack: Stack, frames: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return frames, time by time and channel by channel, in the axes of a stack."""
    order = [axis for axis in "TCS" + stack.spatial_axes if axis in stack.axes]
    pixels = np.stack(frames).reshape([stack.size(axis) for axis in order])
    return pixels.transpose([order.index(axis) for axis in stack.axes])


def provenance(
    method: str, psfs: Sequence[Psf], parameters: Mapping[str, Any], stack: Stack
) -> dict[str, Any]:
    """Return the provenance of a deconvolved image, for JSON.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    psfs : sequence of Psf
        As they were used, fitted to the image.
    parameters : mapping
        Of the method, the camera and the stopping rule; those that are None are left
        out.
    stack : Stack
        The image.
    """
    facts = {
        "method": method,
        "parameters": {name: v for name, v in parameters.items() if v is not None},
        "psf": [psf.provenance for psf in psfs],
        "source": stack.name,
        "content": content_digest(stack),
    }
    return provenance_of("deconvolve", facts)
