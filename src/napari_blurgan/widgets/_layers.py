"""Conversion between layers and stacks that keeps position, scale and units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_blurgan.data.layers import METADATA_KEY, guess_axes, to_stack
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError, BlurGANError, OpticsError
from napari_blurgan.optics.psf import Psf
from napari_blurgan.widgets._brightness import limits_of_stack

if TYPE_CHECKING:
    from napari.layers import Image
    from numpy.typing import NDArray


__all__ = [
    "METADATA_KEY",
    "PLACE",
    "LayerData",
    "beside",
    "field_layer",
    "guess_axes",
    "is_measured",
    "is_psf",
    "is_source",
    "readable",
    "result_layer",
    "stack_layer",
    "summary",
    "to_psf",
    "to_stack",
]

PLACE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
"""Attributes that a layer shares with another one on top of it."""
GAP = 0.05
"""Gap between a layer and one next to it, relative to its width."""
LayerData = tuple[Any, dict[str, Any], str]


def readable(layer: Image | None, axes: str | None = None) -> Stack | None:
    """Return a layer as a stack; None if impossible, which is reported at the start."""
    try:
        return None if layer is None else to_stack(layer, axes)
    except BlurGANError:
        return None


def is_source(layer: Any) -> bool:
    """Return whether a layer is an image to work on, not our own preview or PSF."""
    made = layer.metadata.get(METADATA_KEY, {}).get("made")
    return hasattr(layer, "rgb") and made not in ("preview", "psf")


def is_psf(layer: Any) -> bool:
    """Return whether a layer is a PSF made by the plugin."""
    return bool(layer.metadata.get(METADATA_KEY, {}).get("made") == "psf")


def is_measured(stack: Stack) -> bool:
    """Return whether the size of a voxel is known along all spatial axes."""
    sizes = dict(zip("ZYX", stack.voxel_size, strict=True))
    return all(sizes[axis] is not None for axis in stack.spatial_axes)


def summary(stack: Stack) -> str:
    """Return axes, shape and voxel size in one line, and what is missing."""
    shape = " × ".join(str(n) for n in stack.data.shape)
    known = dict(zip("ZYX", stack.voxel_size, strict=True))
    sizes = [known[axis] for axis in stack.spatial_axes]
    if not any(sizes):
        return f"{stack.axes} {shape}, voxel size unknown"
    words = " × ".join("?" if s is None else f"{s:.3g}" for s in sizes)
    return f"{stack.axes} {shape}, voxel {words} µm"


def result_layer(source: Image, stack: Stack, done: str, axes: str) -> LayerData:
    """Return a layer of `stack` that covers its source and looks like it.

    Parameters
    ----------
    source : napari.layers.Image
        Gives scale, translate, rotate, shear, affine, units, axis labels, colormap.
    stack : Stack
        The result; may lack axes of the source (one channel or time point of it). Its
        planes may be closer.
    done : str
        What was done, for the name: ``"<source> · <done>"``.
    axes : str
        The axes of the source, as the stack was made with.
    """
    kept = [i for i, axis in enumerate(axes[: source.ndim]) if axis in stack.axes]
    order = [stack.axes.index(axes[i]) for i in kept]
    rgb = "S" in stack.axes
    if rgb:
        order.append(stack.axes.index("S"))
    if len(order) < len(stack.axes):
        raise AxesError(
            f"a result with the axes {stack.axes} does not fit on {source.name!r}, "
            f"which has {axes}"
        )
    place = _geometry(source, kept)
    apart = [_spacing(source, stack, axes) if axes[i] == "Z" else 1.0 for i in kept]
    place["scale"] = np.asarray(place["scale"]) * apart
    attributes = place | {
        "name": f"{source.name} · {done}",
        "rgb": rgb,
        "metadata": {METADATA_KEY: dict(stack.metadata)},
    }
    if not rgb and not source.rgb:
        attributes["colormap"] = source.colormap
    return _transposed(stack.data, order), attributes, "image"


def _spacing(source: Image, result: Stack, axes: str) -> float:
    """Return planes of a layer per plane of a result: cubes have more of them."""
    made, seen = result.voxel_size[0], to_stack(source, axes).voxel_size[0]
    return made / seen if made and seen else 1.0


def _transposed(data: Any, order: list[int]) -> Any:
    if order == list(range(len(order))):
        return data
    return np.asarray(data).transpose(order)


def _geometry(layer: Image, dims: Sequence[int]) -> dict[str, Any]:
    """Return the transform of `layer` along some of its dimensions."""
    if len(dims) == layer.ndim:
        return {name: getattr(layer, name) for name in PLACE}
    square = np.ix_(dims, dims)
    shear = np.eye(layer.ndim)
    shear[np.triu_indices(layer.ndim, 1)] = layer.shear
    world = np.asarray(layer.affine.affine_matrix)
    return {
        "scale": layer.scale[list(dims)],
        "translate": layer.translate[list(dims)],
        "rotate": np.asarray(layer.rotate)[square],
        "shear": shear[square],
        "affine": world[np.ix_([*dims, -1], [*dims, -1])],
        "units": [layer.units[i] for i in dims],
        "axis_labels": [layer.axis_labels[i] for i in dims],
    }


def field_layer(
    source: Image,
    field: Stack,
    axes: str,
    corner: Sequence[int],
    time: int | None = None,
    spacing: float = 1.0,
) -> LayerData:
    """Return a restored field as a layer at its position in the source.

    Parameters
    ----------
    source : napari.layers.Image
        What the field was cut from.
    field : Stack
        The result; may lack axes of the source other than the spatial ones.
    axes : str
        The axes of the source.
    corner : sequence of int
        The first voxel of the field, along the spatial axes.
    time : int, optional
        The time point that it is of, at which alone it is then seen.
    spacing : float
        Planes of the source per plane of the field; the corner counts those of the
        field.
    """
    start = np.zeros(source.ndim)
    if time is not None and "T" in axes and "T" not in field.axes:
        field = field.with_data(np.asarray(field.data)[np.newaxis], "T" + field.axes)
        start[axes.index("T")] = time
    pixels, attributes, kind = result_layer(source, field, "preview", axes)
    start[[axes.index(axis) for axis in field.spatial_axes]] = corner
    stretch = np.array([spacing if axis == "Z" else 1.0 for axis in axes[: len(start)]])
    start *= stretch
    kept = [i for i, axis in enumerate(axes[: source.ndim]) if axis in field.axes]
    attributes["translate"] = attributes["translate"] + _offset(source, start)[kept]
    attributes["scale"] = np.asarray(attributes["scale"]) * stretch[kept]
    attributes["metadata"] = {METADATA_KEY: {"made": "preview"}}
    return pixels, attributes, kind


def _offset(layer: Image, corner: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far `corner` lies from voxel 0 before the layer's affine acts."""
    start = np.asarray(layer.data_to_world(np.zeros(layer.ndim)))
    there = np.asarray(layer.data_to_world(corner))
    return np.linalg.solve(layer.affine.linear_matrix, there - start)


def beside(
    source: Image,
    others: Iterable[Any],
    shape: Sequence[int],
    scale: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the position of voxel 0 for an image that shall hide nothing.

    To the right of the source and of other layers, at the top of the source and at the
    middle of its depth.

    Parameters
    ----------
    source : napari.layers.Image
        In whose world.
    others : iterable of layers
        Those that must not be hidden, either.
    shape, scale : sequence of int, ndarray
        Of the image, along the last axes of the source.
    """
    low, high = np.asarray(source.extent.world)[:, -len(shape) :]
    gap = GAP * (high[-1] - low[-1])
    right = [high[-1], *(np.asarray(o.extent.world)[1, -1] for o in others)]
    place = low.copy()
    # An extent is that of the centres of voxels.
    place[-1] = max(right) + gap + abs(source.scale[-1]) + scale[-1]
    if len(shape) > 2:
        place[0] = (low[0] + high[0]) / 2 - (shape[0] // 2) * scale[0]
    return place


def stack_layer(stack: Stack, **attributes: Any) -> LayerData:
    """Return a stack from a file or a sample as a layer in micrometres.

    An axis of unknown length stays in pixels, at the origin. The contrast is that of
    planes from all over the stack.
    """
    axes = stack.axes.replace("S", "")
    sizes = dict(zip("ZYX", stack.voxel_size, strict=True))
    known = [sizes.get(axis) for axis in axes]
    at = dict(zip("ZYX", stack.metadata.get("translation") or (0, 0, 0), strict=True))
    attributes = {
        "name": stack.name,
        "axis_labels": [a.lower() for a in axes],
        "rgb": "S" in stack.axes,
        "scale": [size or 1.0 for size in known],
        "translate": [at.get(a, 0) if sizes.get(a) else 0 for a in axes],
        "units": ["um" if size else "pixel" for size in known],
        "metadata": {METADATA_KEY: dict(stack.metadata)},
    } | attributes
    limits = None if attributes["rgb"] else limits_of_stack(stack.data)
    if limits is not None:
        attributes.setdefault("contrast_limits", limits)
    return stack.data, attributes, "image"


def to_psf(layer: Image, image: Stack | None = None) -> Psf:
    """Return an image layer as a PSF, checked like one from a file.

    Parameters
    ----------
    layer : napari.layers.Image
        A volume or plane; other axes must have the length one.
    image : Stack, optional
        What it blurs: without voxel sizes of its own it lends none, and one voxel of
        the PSF is one of the image.

    Raises
    ------
    OpticsError
        If it is no volume or plane, has negative or NaN values, or its voxel size is
        unknown.
    """
    stack = to_stack(layer)
    known = stack.metadata
    sizes = _sizes(stack, known.get("voxel_size"), image)
    left = {"made", "voxel_size"} | (set() if known.get("notes") else {"notes"})
    kept = {k: v for k, v in known.items() if k not in left}
    try:
        return Psf(
            _volume(stack),
            sizes,
            kept if is_psf(layer) and kept else {"layer": layer.name},
        )
    except OpticsError as error:
        raise OpticsError(f"{layer.name}: {error}") from error


def _volume(stack: Stack) -> NDArray[Any]:
    """Return (z, y, x), dropping axes of length one."""
    long = [a for a in stack.axes if a in "TCS" and stack.size(a) > 1]
    if long:
        raise OpticsError(
            f"a PSF is one volume or plane; this has the axes {stack.axes} of shape "
            f"{tuple(stack.data.shape)}"
        )
    return stack.frame()[0].reshape(-1, *stack.spatial_shape[-2:])


def _sizes(
    stack: Stack, of_the_psf: Sequence[float] | None, image: Stack | None
) -> tuple[float, float, float]:
    z, y, x = stack.voxel_size
    if y is not None and x is not None and (z is not None or "Z" not in stack.axes):
        return z or 1.0, y, x
    if of_the_psf is not None:
        z, y, x = of_the_psf
        return z, y, x
    if image is not None and image.voxel_size[-1] is None:
        return 1.0, 1.0, 1.0
    raise OpticsError(
        f"{stack.name}: a PSF needs its voxel size; show it in the PSF widget, "
        "which asks for it"
    )
