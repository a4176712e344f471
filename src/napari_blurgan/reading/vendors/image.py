"""What readers of vendors' files have in common."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from napari_blurgan.axes import KNOWN_AXES, check_axes
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import AxesError, DataError
from napari_blurgan.headers.ome_xml import OmeFacts
from napari_blurgan.reading.planewise import PlanewiseArray

__all__ = [
    "attributes",
    "check_number",
    "kept",
    "others_left",
    "reader_of",
    "vendor_stack",
]


def reader_of(package: str, path: Path, what: str) -> Any:
    """Return the package that reads a kind of files.

    Parameters
    ----------
    package : str
        As it is imported and installed.
    path : Path
        The file.
    what : str
        What to call it, "a Nikon ND2 file".

    Raises
    ------
    DataError
        If it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError:
        raise DataError(
            f"{path.name}: {what} is read with the package {package}; install it with "
            'pip install "napari-blurgan[formats]", or convert the file to OME-TIFF'
        ) from None


def kept(sizes: Mapping[str, int], path: Path) -> dict[str, int]:
    """Return the axes that an image keeps: known ones, and no others of length one.

    Raises
    ------
    DataError
        If another axis is longer, or Y or X is missing.
    """
    found = {a: n for a, n in sizes.items() if n != 1 or a in KNOWN_AXES}
    try:
        check_axes("".join(found), tuple(found.values()), path.name)
    except AxesError as error:
        raise DataError(
            f"{error}; save such an image as OME-TIFF, one position, angle or "
            f"wavelength at a time"
        ) from None
    return found


def check_number(number: int, count: int, what: str, path: Path) -> None:
    """Refuse the number of an image that is not in the file.

    Raises
    ------
    DataError
        With how many there are.
    """
    if number >= count:
        raise DataError(
            f"{path.name}: holds {count} {what}, counted from 0; found {number}"
        )


def others_left(count: int, what: str, number: int) -> list[str]:
    """Return a note if only one of several images was read."""
    read = "the first" if number == 0 else f"number {number}, counted from 0,"
    return [f"the file holds {count} {what}; {read} was read"] if count > 1 else []


def attributes(**known: Any) -> dict[str, str]:
    """Return what is known, as attributes of OME-XML; None, 0 and "" are not."""
    return {name: f"{value}" for name, value in known.items() if value}


def vendor_stack(
    data: PlanewiseArray,
    letters: str,
    facts: OmeFacts,
    notes: Iterable[str],
    axes: str | None,
    images: int = 1,
) -> Stack:
    """Return a `Stack` of a vendor's file.

    Parameters
    ----------
    data : PlanewiseArray
        Its pixels.
    letters : str
        Their axes according to the file.
    facts : OmeFacts
        The metadata of the image.
    notes : iterable of str
        What was left out or looks wrong, in addition to notes on voxels.
    axes : str or None
        Axis letters that overrule those of the file.
    images : int
        How many the file holds.

    Raises
    ------
    AxesError
        If `axes` do not fit.
    """
    if axes is not None and len(axes) != len(letters):
        raise AxesError(
            f"{data.path.name}: axes {axes!r} were asked for, but the file has the "
            f"shape {data.shape} (axes {letters})"
        )
    sizes = dict(zip(letters, data.shape, strict=True))
    named = len(facts.channel_names) == sizes.get("C", 1)
    return Stack(
        data=data,
        axes=axes or letters,
        voxel_size=facts.voxels.size,
        name=data.path.stem,
        channel_names=facts.channel_names if named else (),
        metadata={
            "source": str(data.path),
            "images": images,
            "notes": [*notes, *facts.voxels.notes],
            "provenance": {},
            "description": facts.description,
            "voxel_size_from": facts.voxels.source,
            "translation": facts.translation,
            "acquisition": facts.acquisition,
        },
    )
