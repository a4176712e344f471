"""napari image layers as stacks, by duck typing: napari is not imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_blurgan.axes import KNOWN_AXES, VoxelSize
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError
from napari_blurgan.headers.acquisition import Acquisition

__all__ = ["METADATA_KEY", "guess_axes", "is_layer", "to_stack"]

METADATA_KEY = "napari-blurgan"
KINDS: dict[str, Any] = {
    "notes": (list, tuple),
    "provenance": Mapping,
    "acquisition": Acquisition,
}
"""Types of our entries; entries of other types are ignored."""
SQUARE = 0.01
"""Largest cosine between the edges of a rectangular voxel."""
LETTERS = {"time": "T", "channel": "C", "channels": "C"} | {
    letter.lower(): letter for letter in KNOWN_AXES
}


def is_layer(thing: object) -> bool:
    """Return whether something is a napari layer of any kind."""
    return all(hasattr(thing, name) for name in ("data_to_world", "metadata", "data"))


def to_stack(layer: Any, axes: str | None = None) -> Stack:
    """Return the pixels of an image layer with their axes and voxel size.

    Parameters
    ----------
    layer : napari.layers.Image
        A plain, RGB, lazy or multiscale layer; of the last, the full resolution.
    axes : str, optional
        One letter an axis (``"TZYX"``); by default `guess_axes` decides.

    Raises
    ------
    AxesError
        If the axes do not describe the layer, or if it holds no image.
    """
    if not hasattr(layer, "rgb"):
        raise AxesError(f"{layer.name}: an image layer is needed, this one is not")
    data = layer.data[0] if layer.multiscale else layer.data
    found = (axes or guess_axes(layer)).upper()
    known = _known(layer)
    notes = [*known.get("notes", ()), *_notes(layer, found, given=axes is not None)]
    return Stack(
        data,
        found,
        _voxel_size(layer, found),
        name=layer.name,
        metadata=known | {"notes": notes},
    )


def _known(layer: Any) -> dict[str, Any]:
    """Return what we wrote into the metadata of a layer; other programs can too."""
    known = layer.metadata.get(METADATA_KEY, {})
    if not isinstance(known, Mapping):
        return {}
    return {
        key: value
        for key, value in known.items()
        if key not in KINDS or isinstance(value, KINDS[key])
    }


def _notes(layer: Any, axes: str, *, given: bool) -> list[str]:
    """Return notes about guessed axes and sheared voxels."""
    notes = []
    if not given and layer.ndim > 3 and not _named(layer):
        notes.append(
            f"the axes of the layer have no names: {layer.ndim} axes of shape "
            f"{_shape(layer)} were interpreted as {axes}"
        )
    if _is_sheared(layer, axes):
        notes.append(
            "the layer is sheared, but PSFs and models assume rectangular voxels: "
            "restore the image as recorded and shear the result"
        )
    return notes


def _is_sheared(layer: Any, axes: str) -> bool:
    edges = [_step(layer, i) for i in _spatial(layer, axes)]
    lengths = [float(np.linalg.norm(edge)) or 1.0 for edge in edges]
    units = np.array([e / n for e, n in zip(edges, lengths, strict=True)])
    skew = units @ units.T - np.eye(len(units))
    return bool(abs(skew).max() > SQUARE)


def _spatial(layer: Any, axes: str) -> list[int]:
    return [i for i, axis in enumerate(axes[: layer.ndim]) if axis in "ZYX"]


def guess_axes(layer: Any) -> str:
    """Return one letter per axis: from the axis labels, otherwise from the shape.

    Without labels, three axes are ZYX, four are CZYX if the first has a length of at
    most 4 and TZYX otherwise, five are TCZYX.
    """
    letters = _named(layer) or _axes_of_shape(_shape(layer)[: layer.ndim])
    return letters + ("S" if layer.rgb else "")


def _named(layer: Any) -> str:
    """Return the letters of the axis labels, or nothing unless all are known."""
    letters = [LETTERS.get(str(label).lower(), "") for label in layer.axis_labels]
    known = all(letters) and len(set(letters)) == len(letters)
    return "".join(letters) if known else ""


def _axes_of_shape(shape: Sequence[int]) -> str:
    if len(shape) == 4:
        return "CZYX" if shape[0] <= 4 else "TZYX"
    if len(shape) > 5:
        raise AxesError(
            f"{len(shape)} axes of shape {tuple(shape)} cannot be told apart; "
            f"label them with letters of {KNOWN_AXES} (layer.axis_labels)"
        )
    return "TCZYX"[-len(shape) :]


def _shape(layer: Any) -> tuple[int, ...]:
    return tuple(layer.data[0].shape if layer.multiscale else layer.data.shape)


def _voxel_size(layer: Any, axes: str) -> VoxelSize:
    """Return the voxel size in µm, for any transformation of the layer.

    A scale without a unit is in micrometres, if no spatial axis has one.
    """
    spatial = _spatial(layer, axes)
    edges = {i: _edge(layer, i) for i in spatial}
    physical = [i for i in spatial if _is_length(layer.units[i])]
    if physical:
        found = {axes[i]: _to_micrometres(edges[i], layer.units[i]) for i in physical}
    elif _has_no_scale(layer, spatial):
        found = {}
    else:
        found = {axes[i]: edges[i] for i in spatial}
    return found.get("Z"), found.get("Y"), found.get("X")


def _has_no_scale(layer: Any, spatial: Sequence[int]) -> bool:
    """Return whether a layer is at most flipped, rotated and sheared.

    Its steps are then a rotation of a triangular matrix with ones on the diagonal;
    napari's shears are upper or lower triangular.
    """
    steps = np.array([_step(layer, axis) for axis in spatial]).T
    for ordered in (steps, steps[:, ::-1]):
        scales = np.abs(np.diag(np.linalg.qr(ordered)[1]))
        if np.allclose(scales, 1):
            return True
    return False


def _edge(layer: Any, axis: int) -> float:
    """Return the length of a step along an axis in world units; also if flipped."""
    length = np.linalg.norm(_step(layer, axis))
    return float(f"{length:.12g}")  # less what adding the translation has rounded


def _step(layer: Any, axis: int) -> NDArray[np.float64]:
    """Return the vector of a step along an axis, in world units."""
    step = np.zeros(layer.ndim)
    step[axis] = 1
    origin = np.asarray(layer.data_to_world(np.zeros(layer.ndim)))
    return np.asarray(layer.data_to_world(step)) - origin


def _is_length(unit: Any) -> bool:
    return bool(unit.is_compatible_with("micrometer"))


def _to_micrometres(length: float, unit: Any) -> float:
    return float((length * unit).to("micrometer").magnitude)
