"""Olympus FluoView files, OIF and OIB, read with the package oiffile (BSD)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import DTypeLike, NDArray

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
    reader_of,
    vendor_stack,
)

__all__ = ["OifArray", "read_oif"]

WHAT = "an Olympus OIF or OIB file"
Settings = Mapping[str, Any]


def read_oif(path: Path, axes: str | None = None, image: int = 0) -> Stack:
    """Return the image of an OIF or OIB file as a lazy `Stack`.

    Parameters
    ----------
    path : Path
        The file; the planes of an OIF lie in the folder beside it.
    axes : str, optional
        Axis letters that overrule those of the file.
    image : int
        0: there is one.

    Raises
    ------
    DataError
        If planes are missing, the file is damaged, the package oiffile is missing, or
        the image has axes besides T, C, Z, Y and X.
    """
    check_number(image, 1, "image", path)
    oiffile = reader_of("oiffile", path, WHAT)
    with (
        damage_refused(path, f"is not {WHAT}, or is damaged"),
        oiffile.OifFile(path) as file,
    ):
        series = file.series[0]
        names = tuple(series)
        if len(names) != math.prod(series.shape):
            raise DataError(
                f"{path.name}: declares {math.prod(series.shape)} planes, "
                f"{len(names)} are there; copy it again, with its folder"
            )
        plane = file.asarray(names[0])
        loops = dict(zip(series.dims, series.shape, strict=True))
        sizes = kept(loops | dict(zip("YX", plane.shape, strict=True)), path)
        data = OifArray(path, tuple(sizes.values()), plane.dtype, names)
        facts = _facts(file, sizes)
    return vendor_stack(data, "".join(sizes), facts, (), axes)


class OifArray(PlanewiseArray):
    """The planes of an OIF or OIB file, each of which is a TIFF.

    Parameters
    ----------
    path : Path
        The file.
    shape : tuple of int
        Of all planes together.
    dtype : data type
        Of the pixels.
    names : tuple of str
        Of the planes in the file.
    """

    def __init__(
        self,
        path: Path,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        names: tuple[str, ...],
    ) -> None:
        self.names = names
        super().__init__(path, shape, dtype, math.prod(shape[-2:]))

    def __reduce__(self) -> tuple[Any, ...]:
        return OifArray, (self.path, self.shape, self.dtype, self.names)

    def decoded(self, number: int) -> NDArray[Any]:
        """Return one plane."""
        with reader_of("oiffile", self.path, WHAT).OifFile(self.path) as file:
            plane: NDArray[Any] = file.asarray(self.names[number])
            return plane


def _facts(file: Any, sizes: dict[str, int]) -> OmeFacts:
    settings = file.mainfile
    channels = [
        settings.get(f"Channel {number} Parameters", {})
        for number in range(1, sizes.get("C", 1) + 1)
    ]
    names = tuple(str(c.get("DyeName") or c.get("CH Name", "")) for c in channels)
    light = tuple(
        attributes(
            EmissionWavelength=channel.get("EmissionWavelength"),
            ExcitationWavelength=channel.get("ExcitationWavelength"),
            Fluor=channel.get("DyeName"),
        )
        for channel in channels
    )
    return OmeFacts(
        _voxels(settings, sizes),
        names if all(names) else (),
        acquisition=Acquisition(_interval(settings, sizes), light, _lens(file)),
    )


def _voxels(settings: Settings, sizes: dict[str, int]) -> Voxels:
    plane = settings.get("Reference Image Parameter", {})
    claims = {
        axis: Claim(plane[f"{side}ConvertValue"], str(plane.get(f"{side}Unit", "")))
        for axis, side in (("Y", "Height"), ("X", "Width"))
        if f"{side}ConvertValue" in plane
    }
    step = _step(settings, "Z")
    if step is not None and "Z" in sizes:
        claims["Z"] = step
    return read_voxels(claims, "its OIF header")


def _step(settings: Settings, axis: str) -> Claim | None:
    """Return the distance between planes or frames, with its unit."""
    for found in settings.values():
        if isinstance(found, Mapping) and found.get("AxisCode") == axis:
            count = int(found.get("MaxSize", 0))
            first, last = found.get("StartPosition"), found.get("EndPosition")
            if count < 2 or first is None or last is None:
                return None
            length = abs(float(last) - float(first)) / (count - 1)
            return Claim(length, str(found.get("PixUnit", "")))
    return None


def _interval(settings: Settings, sizes: dict[str, int]) -> float | None:
    """Return the time between frames in seconds."""
    step = _step(settings, "T") if "T" in sizes else None
    seconds = {"ms": 1e-3, "s": 1.0, "us": 1e-6}.get(step.unit or "") if step else None
    return step.value * seconds if step and step.value and seconds else None


def _lens(file: Any) -> dict[str, str]:
    """Return the objective according to the settings of the first plane."""
    names = (name for name in file.glob("*") if name.endswith(".pty"))
    first = next((name for name in sorted(names) if "_Thumb" not in name), None)
    if first is None:
        return {}
    settings = type(file.mainfile)(file.open_file(first), name=first)
    found = settings.get("Acquisition Parameters Common", {})
    return attributes(
        LensNA=found.get("ObjectiveLens NAValue"),
        NominalMagnification=found.get("Magnification"),
        Model=found.get("ObjectiveLens Name"),
    )
