"""Leica LIF files, read with the package liffile (BSD)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from numpy.typing import DTypeLike, NDArray

from napari_blurgan.axes import KNOWN_AXES
from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import DataError
from napari_blurgan.headers.acquisition import Acquisition
from napari_blurgan.headers.ome_xml import OmeFacts
from napari_blurgan.headers.voxels import Claim, Voxels, read_voxels
from napari_blurgan.reading.damage import damage_refused
from napari_blurgan.reading.planewise import PlanewiseArray
from napari_blurgan.reading.vendors.image import (
    attributes,
    check_number,
    kept,
    others_left,
    reader_of,
    vendor_stack,
)

__all__ = ["LifArray", "read_lif"]

WHAT = "a Leica LIF file"
MEDIA = {"OIL": "Oil", "WATER": "Water", "GLYC": "Glycerol", "DRY": "Air", "AIR": "Air"}
"""Leica's immersion media as OME names them."""


def read_lif(path: Path, axes: str | None = None, image: int = 0) -> Stack:
    """Return an image of planes of a LIF file as a lazy `Stack`.

    Parameters
    ----------
    path : Path
        The file.
    axes : str, optional
        Axis letters that overrule those of the file.
    image : int
        The number of the image, counted from 0 among those that can be read.

    Raises
    ------
    DataError
        If the file is damaged, the package liffile is missing, there is no such image,
        or every image has axes besides T, C, Z, Y, X and S.
    """
    liffile = reader_of("liffile", path, WHAT)
    with (
        damage_refused(path, f"is not {WHAT}, or is damaged"),
        liffile.LifFile(path) as file,
    ):
        numbers = _readable(file, path)
        check_number(image, len(numbers), "images of planes", path)
        number = numbers[image]
        found = file.images[number]
        sizes = kept(dict(found.sizes) | {"M": 1}, path)
        samples = math.prod(found.frames.frame_shape)
        data = LifArray(path, tuple(sizes.values()), found.dtype, (number, samples))
        notes = others_left(found.sizes.get("M", 1), "tiles", 0)
        if len(file.images) > 1:
            held = f"{len(file.images)} images ({_names(file)})"
            notes.append(f"the file holds {held}; {found.name} was read")
        facts = OmeFacts(
            _voxels(found, sizes),
            acquisition=Acquisition(_interval(found), lens=_lens(found)),
            description=str(found.name),
        )
    return vendor_stack(data, "".join(sizes), facts, notes, axes, len(numbers))


class LifArray(PlanewiseArray):
    """The frames of an image in a LIF file, which is open only while one is read.

    Parameters
    ----------
    path : Path
        The file.
    shape : tuple of int
        Of all frames together.
    dtype : data type
        Of the pixels.
    image : tuple of int
        The number of the image in the file, and of the values in a frame.
    """

    def __init__(
        self,
        path: Path,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        image: tuple[int, int],
    ) -> None:
        self.image = image
        self._stored = dtype
        super().__init__(path, shape, dtype, image[1])
        self.origin = f"{path}, image {image[0]}"

    def __reduce__(self) -> tuple[Any, ...]:
        return LifArray, (self.path, self.shape, self._stored, self.image)

    def decoded(self, number: int) -> NDArray[Any]:
        """Return one frame."""
        with reader_of("liffile", self.path, WHAT).LifFile(self.path) as file:
            image = file.images[self.image[0]]
            first = {"M": 0} if "M" in image.sizes else {}  # of several tiles
            plane: NDArray[Any] = image.frames(**first)[number]
            return plane


def _readable(file: Any, path: Path) -> list[int]:
    """Return the numbers of the images that have no axes of other kinds."""
    found = []
    for number, image in enumerate(file.images):
        longer = {axis for axis, size in image.sizes.items() if size > 1} - {"M"}
        planes = not image.is_flim and {"Y", "X"} == set(image.frames.frame_dims[:2])
        if planes and longer <= set(KNOWN_AXES):
            found.append(number)
    if found:
        return found
    raise DataError(
        f"{path.name}: none of its images ({_names(file)}) has the axes Y and X and, "
        "besides, only T, C and Z; save one as OME-TIFF"
    )


def _names(file: Any) -> str:
    names = ", ".join(str(image.name) for image in file.images)
    return names if len(names) <= 100 else f"{names[:100]} …"


def _voxels(image: Any, sizes: dict[str, int]) -> Voxels:
    """Return the voxel size; the header gives the places of the first and the last."""
    claims = {}
    for axis in "ZYX":
        places = image.coords.get(axis, ())
        if len(places) > 1 and axis in sizes:
            step = abs(float(places[-1] - places[0])) / (len(places) - 1)
            claims[axis] = Claim(step, "m")
    return read_voxels(claims, "its LIF header")


def _interval(image: Any) -> float | None:
    """Return the time between frames in seconds."""
    times = image.coords.get("T", ())
    if len(times) < 2:
        return None
    step = float(times[-1] - times[0]) / (len(times) - 1)
    return step if 0 < step < math.inf else None


def _lens(image: Any) -> dict[str, str]:
    """Return the objective of the first settings that name one."""
    for element in image.xml_element.iter():
        if "NumericalAperture" in element.attrib:
            found = element.attrib
            return attributes(
                LensNA=found["NumericalAperture"],
                RefractiveIndex=found.get("RefractionIndex"),
                Immersion=MEDIA.get(found.get("Immersion", "").strip().upper()),
                NominalMagnification=found.get("Magnification"),
                Model=found.get("ObjectiveName", "").strip(),
            )
    return {}
