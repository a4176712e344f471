"""Reading OME-Zarr 0.4 and 0.5 and plain zarr arrays.

The metadata follow https://ngff.openmicroscopy.org/0.5/. Axes are in the order t, c, z,
y, x, as the standard requires; RGB samples become channels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import zarr

from napari_blurgan.axes import name_axes, taken_as
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import BlurGANError, DataError
from napari_blurgan.headers.ngff import dataset_path, only_dataset, read_image
from napari_blurgan.reading.zarr_array import ZarrArray, missing_chunks

__all__ = ["is_zarr", "read_zarr"]

T = TypeVar("T")
ORDER = "TCZYX"
PROVENANCE = "napari-blurgan"
SMALLEST_LEVEL = 256
"""The pyramid ends where a plane fits on a screen."""
TYPES = {"T": "time", "C": "channel", "Z": "space", "Y": "space", "X": "space"}
METADATA_FILES = ("zarr.json", ".zgroup", ".zarray", ".zattrs", ".zmetadata")
LARGEST_METADATA = 1 << 26
DEEPEST = 4
"""Folders above an array that may be its image; paths within an image are short."""


def is_zarr(path: Path) -> bool:
    """Return whether `path` is a zarr group or array of either version."""
    return any((path / name).is_file() for name in ("zarr.json", ".zgroup", ".zarray"))


def read_zarr(path: Path, axes: str | None = None, *, strict: bool = False) -> Stack:
    """Return the full resolution of an OME-Zarr image, or a plain array, lazily.

    Parameters
    ----------
    path : Path
        The folder of a group or an array.
    axes : str, optional
        Axis letters that overrule those of the file.
    strict : bool
        Whether chunks that are not there are an error, not a note.

    Raises
    ------
    DataError
        If it cannot be opened, is a group without an image of its own, has metadata
        of the wrong type or codecs that we do not trust, or claims more than the
        memory holds.
    AxesError
        If the axes are not stated, or do not fit.
    """
    node = _opened(path)
    name = path.name.removesuffix(".zarr").removesuffix(".ome")
    if isinstance(node, zarr.Array):
        return _lone_array(node, path, name, axes, strict)
    ome = _ome(node, path)
    if "multiscales" in ome:
        return _multiscale(node, ome, path, name, axes, strict)
    if "bioformats2raw.layout" in ome and is_zarr(path / "0"):
        return read_zarr(path / "0", axes, strict=strict)
    held = sorted(entry.name for entry in path.iterdir() if entry.is_dir())
    inside = f"name one of those in it: {', '.join(held)}" if held else "it is empty"
    raise DataError(
        f"{path}: is a zarr group without an image (no multiscales); {inside}"
    )


def _opened(path: Path) -> Any:
    _check_metadata_size(path)
    try:
        return zarr.open(path, mode="r")
    except Exception as error:  # zarr has no error of its own for damaged metadata
        raise DataError(f"{path}: cannot be opened as zarr ({error!s:.300})") from error


def _ome(node: Any, path: Path) -> Mapping[str, Any]:
    """Return the OME-Zarr metadata of a group; they are unchecked."""
    attributes = _attributes(node, path)
    ome = attributes.get("ome", attributes)
    if not isinstance(ome, Mapping):
        raise DataError(f"{path}: the attribute ome should be a mapping")
    return ome


def _lone_array(
    node: Any, path: Path, name: str, axes: str | None, strict: bool
) -> Stack:
    """Read an array; if it is a resolution of an image, as the image describes it."""
    found, fault = _group_of(path), None
    if found is not None:
        try:
            return _resolution(*found, axes, strict)
        except BlurGANError as error:
            fault = error
    stack = _plain(ZarrArray(node, path), node, name, axes, strict)
    if fault is None:
        return stack
    note = f"it was read without the metadata of its image ({fault!s:.300})"
    return replace(stack, metadata=_with_note(stack, note))


def _with_note(stack: Stack, note: str) -> dict[str, Any]:
    return stack.metadata | {"notes": [note, *stack.metadata["notes"]]}


def _group_of(path: Path) -> tuple[Any, Mapping[str, Any], Path] | None:
    """Return the OME-Zarr image that an array is a resolution of, if it is one.

    The metadata are those of this resolution alone.
    """
    whole = path.absolute()
    for folder in whole.parents[:DEEPEST]:
        if not is_zarr(folder):
            continue
        try:
            group = _opened(folder)
            ome = only_dataset(
                _ome(group, folder), whole.relative_to(folder).as_posix()
            )
        except DataError:  # the array can be read all the same
            continue
        if ome is not None:
            return group, ome, folder
    return None


def _resolution(
    group: Any, ome: Mapping[str, Any], path: Path, axes: str | None, strict: bool
) -> Stack:
    """Read an array of a group with the metadata of the group, and a note."""
    inner = dataset_path(ome)
    name = path.name.removesuffix(".zarr").removesuffix(".ome")
    stack = _multiscale(group, ome, path, f"{name} {inner}", axes, strict)
    note = (
        f"is the resolution {inner} of {path.name}, whose OME-Zarr metadata give its "
        "axes and voxel size"
    )
    known = {"source": str(path / inner)}
    return replace(stack, metadata=_with_note(stack, note) | known)


def _attributes(node: Any, path: Path) -> dict[str, Any]:
    try:
        return dict(node.attrs)
    except (TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: its attributes are not a mapping") from error


def _check_metadata_size(path: Path) -> None:
    for name in METADATA_FILES:
        file = path / name
        if file.is_file() and file.stat().st_size > LARGEST_METADATA:
            raise DataError(
                f"{file}: {file.stat().st_size} bytes is too large for metadata"
            )


def _plain(
    pixels: ZarrArray, array: Any, name: str, axes: str | None, strict: bool
) -> Stack:
    labels = getattr(array.metadata, "dimension_names", None)
    labels = labels or _attributes(array, pixels.path).get("_ARRAY_DIMENSIONS")
    labels = labels if isinstance(labels, Sequence) else ()
    letters = "".join(str(label)[:1] for label in labels if label).upper()
    notes = _notes_on_chunks(pixels, strict)
    if axes is None and len(letters) == pixels.ndim == len(labels):
        axes = letters
    elif axes is None:
        axes = name_axes(pixels.shape, name)
        notes += [taken_as(pixels.shape[0], "Z")] if axes == "ZYX" else []
    metadata = {"source": str(pixels.path), "notes": notes, "provenance": {}}
    return Stack(pixels, axes.upper(), name=name, metadata=metadata)


def _multiscale(
    group: Any,
    ome: Mapping[str, Any],
    path: Path,
    name: str,
    axes: str | None,
    strict: bool,
) -> Stack:
    inner = _refused(path, lambda: dataset_path(ome))
    pixels = ZarrArray(_array(group, path, inner), path / inner)
    facts = _refused(path, lambda: read_image(ome, pixels.shape))
    images = len(ome["multiscales"])
    several = f"it describes {images} images; the first was read"
    provenance = _attributes(group, path).get(PROVENANCE)
    return Stack(
        data=pixels,
        axes=(axes or facts.axes).upper(),
        voxel_size=facts.voxels.size,
        name=name,
        channel_names=facts.channel_names,
        metadata={
            "source": str(path),
            "notes": [
                *_notes_on_chunks(pixels, strict),
                *facts.voxels.notes,
                *([several] if images > 1 else []),
            ],
            "provenance": dict(provenance) if isinstance(provenance, Mapping) else {},
            "voxel_size_from": facts.voxels.source,
            "translation": facts.translation,
        },
    )


def _refused(path: Path, read: Callable[[], T]) -> T:
    """Add the name of the file whose metadata cannot be read."""
    try:
        return read()
    except BlurGANError as error:
        message = f"{path}: its OME-Zarr metadata are broken: {error}"
        raise type(error)(message) from error


def _array(group: Any, path: Path, inner: str) -> Any:
    try:
        array = group[inner]
    except KeyError:
        raise DataError(f"{path}: has no array {inner}, as its metadata say") from None
    except Exception as error:  # zarr has no error of its own for damaged metadata
        raise DataError(
            f"{path}: its array {inner} cannot be opened ({error!s:.300})"
        ) from error
    if not isinstance(array, zarr.Array):
        raise DataError(f"{path}: {inner} should be an array, as its metadata say")
    return array


def _notes_on_chunks(pixels: ZarrArray, strict: bool) -> list[str]:
    """Return a note, or raise, if chunks are missing."""
    missing, count = missing_chunks(pixels)
    if not missing:
        return []
    note = (
        f"{missing} of {count} chunks are not there and read as the fill value, which "
        "is zarr's rule for empty ones"
    )
    if strict:
        raise DataError(f"{pixels.path}: {note}")
    return [note]
