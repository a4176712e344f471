"""OME-Zarr metadata of one image: axes, sizes, position, names.

The type of an axis decides (https://ngff.openmicroscopy.org/0.5/, "axes"); names are
arbitrary. Metadata of the wrong type or length raise a `DataError` that names the key.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from napari_blurgan.errors import AxesError, DataError
from napari_blurgan.headers.units import micrometres
from napari_blurgan.headers.voxels import Claim, Voxels, read_voxels

__all__ = ["ImageFacts", "dataset_path", "only_dataset", "read_image"]

SOURCE = "its OME-Zarr metadata"
# Before 0.3 axes had no names, and before 0.4 no types.
FIRST_AXES = "tczyx"
UNSCALED = f"{SOURCE} hold no scale: how large its voxels are is unknown"
VERSIONS = ("0.1", "0.2", "0.3", "0.4", "0.5")
KINDS = {"time": "T", "channel": "C"}
SPACE = "ZYX"
WORDS = {"depth": "Z", "height": "Y", "width": "X", "time": "T", "frame": "T"}


@dataclass(frozen=True)
class ImageFacts:
    """Properties of the full resolution of an image.

    Parameters
    ----------
    path : str
        Of the array, within the group.
    axes : str
        Letters of TCZYX.
    voxels : Voxels
        Sizes, where from, and notes.
    translation : tuple of float or None
        Where the first voxel lies, (z, y, x) in micrometres.
    channel_names : tuple of str
        One a channel, or none.
    """

    path: str
    axes: str
    voxels: Voxels
    translation: tuple[float, float, float] | None
    channel_names: tuple[str, ...]


@dataclass(frozen=True)
class Axis:
    """One axis, with our letter for it, and its unit as spelled in the file."""

    letter: str
    unit: str | None


def dataset_path(ome: Mapping[str, Any]) -> str:
    """Return the path of the full resolution.

    Raises
    ------
    DataError
        If there is none, or it leaves the group.
    """
    dataset = _first(_image(ome), "datasets")
    path = dataset.get("path")
    if not isinstance(path, str) or not path.strip("/"):
        raise DataError(f"datasets[0].path should be text, found {path!r:.60}")
    if path.startswith("/") or ".." in path.replace("\\", "/").split("/"):
        raise DataError(f"datasets[0].path {path!r:.60} leads out of the folder")
    return path


def only_dataset(ome: Mapping[str, Any], path: str) -> dict[str, Any] | None:
    """Return the metadata of one resolution, as if there were no others.

    Parameters
    ----------
    ome : mapping
        The attributes of a group, or what they hold under ``"ome"``.
    path : str
        Of the array, within the group.

    Returns
    -------
    dict or None
        For `read_image`; None if no image has an array of this path.
    """
    for image in _mappings(ome.get("multiscales")):
        for dataset in _mappings(image.get("datasets")):
            if str(dataset.get("path")).strip("/") == path:
                return {**ome, "multiscales": [{**image, "datasets": [dataset]}]}
    return None


def _mappings(entries: Any) -> list[Mapping[str, Any]]:
    return list(filter(_is_mapping, entries)) if isinstance(entries, list) else []


def read_image(ome: Mapping[str, Any], shape: Sequence[int]) -> ImageFacts:
    """Read the metadata of the first multiscale image.

    Parameters
    ----------
    ome : mapping
        The attributes of a group, or what they hold under ``"ome"``.
    shape : sequence of int
        Of the full resolution.

    Raises
    ------
    DataError
        If a key is missing or of the wrong type; the message names it.
    AxesError
        If the axes do not fit the shape, or are none of ours.
    """
    image = _image(ome)
    axes = _axes(image, len(shape))
    inner, outer = (
        _Transformation.read(holder, len(shape))
        for holder in (_first(image, "datasets"), image)
    )
    whole = outer.after(inner)
    claims = {
        axis.letter: Claim(scale, axis.unit)
        for axis, scale in zip(axes, whole.scale, strict=True)
        if axis.letter in SPACE
    }
    scaled = inner.scaled or outer.scaled
    voxels = read_voxels(claims, SOURCE) if scaled else Voxels(notes=(UNSCALED,))
    place, unplaced = _place(axes, whole.translation)
    unknown = _unknown_version(ome, image)
    notes = (*unknown, *voxels.notes, *inner.notes, *outer.notes, *unplaced)
    letters = "".join(axis.letter for axis in axes)
    return ImageFacts(
        dataset_path(ome),
        letters,
        Voxels(voxels.size, voxels.source, notes),
        place,
        _channel_names(ome, shape[letters.index("C")] if "C" in letters else 1),
    )


def _image(ome: Mapping[str, Any]) -> Mapping[str, Any]:
    return _first(ome, "multiscales")


def _first(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    entries = holder.get(key)
    if not isinstance(entries, list) or not entries or not _is_mapping(entries[0]):
        raise DataError(f"{key} should be a list of mappings, found {entries!r:.60}")
    return entries[0]


def _unknown_version(ome: Mapping[str, Any], image: Mapping[str, Any]) -> list[str]:
    """Return a note if the metadata are of a version that this reader does not know.

    From 0.5 on the version stands beside the images, before in each of them.
    """
    version = ome.get("version", image.get("version"))
    if version is None or ".".join(str(version).split(".")[:2]) in VERSIONS:
        return []
    return [
        f"{SOURCE} are of version {version!s:.20}, but only versions {VERSIONS[0]} to "
        f"{VERSIONS[-1]} are known: check the axes and the voxel size"
    ]


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _axes(image: Mapping[str, Any], ndim: int) -> list[Axis]:
    """Return the axes by type, then by name; otherwise z, y, x in this order."""
    entries = image.get("axes", list(FIRST_AXES))
    if not isinstance(entries, list) or len(entries) != ndim:
        raise AxesError(
            f"OME-Zarr names the axes {entries!r:.200}, the data have {ndim}"
        )
    axes = [_axis(entry) for entry in entries]
    unnamed = [i for i, axis in enumerate(axes) if not axis.letter]
    free = [letter for letter in SPACE if all(a.letter != letter for a in axes)]
    if len(unnamed) > len(free):
        raise AxesError(
            f"OME-Zarr names the axes {entries!r:.200}, which are not supported"
        )
    letters = free[len(free) - len(unnamed) :]
    for i, letter in zip(unnamed, letters, strict=True):
        axes[i] = Axis(letter, axes[i].unit)
    return axes


def _axis(entry: Any) -> Axis:
    """Return an axis; its letter is empty for a spatial one with another name."""
    if isinstance(entry, str):
        entry = {"name": entry}
    name = entry.get("name") if isinstance(entry, Mapping) else None
    if not isinstance(name, str) or not name:
        raise DataError(f"an axis should have a name, found {entry!r:.60}")
    kind, unit = entry.get("type"), entry.get("unit")
    if not isinstance(kind, str | None) or not isinstance(unit, str | None):
        raise DataError(f"axis {name:.20}: type and unit should be text")
    letter = WORDS.get(name.lower(), name[0].upper())
    if kind in KINDS:
        return Axis(KINDS[kind], unit)
    if kind == "space":
        return Axis(letter if letter in SPACE else "", unit)
    if kind is None and letter in "TCZYX":
        return Axis(letter, unit)
    raise AxesError(
        f"axis {name!r:.20} of type {kind!r:.20}: expected time, channel or space. "
        "Save one position, angle or lifetime bin at a time"
    )


@dataclass(frozen=True)
class _Transformation:
    """A position is scale * index + translation."""

    scale: list[float]
    translation: list[float]
    notes: tuple[str, ...] = ()
    scaled: bool = False  # a scale was given, not left out

    @classmethod
    def read(cls, holder: Mapping[str, Any], ndim: int) -> _Transformation:
        """Read a list of transformations, at most one scale and one translation."""
        key = "coordinateTransformations"
        entries = holder.get(key)
        if not isinstance(entries, list | None):
            raise DataError(f"{key} should be a list, found {entries!r:.60}")
        found: dict[str, list[float]] = {}
        notes = []
        for entry in entries or ():
            kind = entry.get("type") if isinstance(entry, Mapping) else None
            if kind in ("scale", "translation"):
                found[kind] = _numbers(entry.get(kind), kind, ndim)
            elif kind != "identity":
                notes.append(
                    f"{SOURCE} contain a transformation {kind!r:.40}, which was ignored"
                )
        scale = found.get("scale", [1.0] * ndim)
        moved = found.get("translation", [0.0] * ndim)
        return cls(scale, moved, tuple(notes), "scale" in found)

    def after(self, first: _Transformation) -> _Transformation:
        """Return the composition, with `first` applied before this one."""
        scale = [a * b for a, b in zip(self.scale, first.scale, strict=True)]
        moved = zip(self.scale, first.translation, self.translation, strict=True)
        return _Transformation(scale, [s * a + b for s, a, b in moved])


def _numbers(values: Any, key: str, ndim: int) -> list[float]:
    fine = isinstance(values, list) and len(values) == ndim
    if not fine or not all(_is_number(value) for value in values):
        raise DataError(f"{key} should be {ndim} numbers, found {values!r:.80}")
    return [float(value) for value in values]


def _is_number(value: Any) -> bool:
    is_bool = isinstance(value, bool)
    try:
        return not is_bool and isinstance(value, int | float) and math.isfinite(value)
    except OverflowError:
        return False


def _place(
    axes: Sequence[Axis], translation: Sequence[float]
) -> tuple[tuple[float, float, float] | None, list[str]]:
    """Return the position of the first voxel, and notes on unusable parts."""
    found, notes = dict.fromkeys(SPACE, 0.0), []
    for axis, value in zip(axes, translation, strict=True):
        length = micrometres(abs(value), axis.unit)
        if axis.letter not in SPACE or not value:
            continue
        if length is None:
            unit = axis.unit or "no unit"
            notes.append(
                f"{SOURCE} shift {axis.letter.lower()} by {value:g} in {unit:.40}, "
                "which was ignored"
            )
        else:
            found[axis.letter] = math.copysign(length, value)
    z, y, x = found.values()
    return (z, y, x) if any((z, y, x)) else None, notes


def _channel_names(ome: Mapping[str, Any], count: int) -> tuple[str, ...]:
    """Return the names of channels; anything invalid is ignored."""
    omero = ome.get("omero")
    entries = omero.get("channels") if isinstance(omero, Mapping) else None
    if not isinstance(entries, list) or len(entries) != count:
        return ()
    labels = [e.get("label") if isinstance(e, Mapping) else None for e in entries]
    names = [label for label in labels if isinstance(label, str) and label]
    return tuple(names) if len(names) == count else ()
