"""Nikon ND2 files, read with the package nd2 (BSD)."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_blurgan.data.stack import Stack
from napari_blurgan.headers.acquisition import Acquisition
from napari_blurgan.headers.ome_xml import OmeFacts
from napari_blurgan.headers.voxels import Claim, read_voxels
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

__all__ = ["Nd2Array", "read_nd2"]

WHAT = "a Nikon ND2 file"


def read_nd2(path: Path, axes: str | None = None, image: int = 0) -> Stack:
    """Return a position of an ND2 file as a lazy `Stack`.

    Parameters
    ----------
    path : Path
        The file.
    axes : str, optional
        Axis letters that overrule those of the file.
    image : int
        The number of the position, counted from 0.

    Raises
    ------
    DataError
        If the file is damaged, the package nd2 is missing, there is no such position,
        or the image has axes besides T, C, Z, Y, X and S.
    """
    nd2 = reader_of("nd2", path, WHAT)
    with (
        damage_refused(path, f"is not {WHAT}, or is damaged"),
        nd2.ND2File(path) as file,
    ):
        sizes = kept(dict(file.sizes) | {"P": 1}, path)
        positions = file.sizes.get("P", 1)
        check_number(image, positions, "positions", path)
        frames = tuple(_frames(file, image))
        shape = tuple(sizes.values())
        data = Nd2Array(path, shape, file.dtype, frames)
        notes = others_left(positions, "positions", image)
        facts = _facts(file, sizes)
    return vendor_stack(data, "".join(sizes), facts, notes, axes, positions)


class Nd2Array(PlanewiseArray):
    """The frames of an ND2 file; it is open only while one is read.

    Parameters
    ----------
    path : Path
        The file.
    shape : tuple of int
        Of all frames together.
    dtype : data type
        Of the pixels.
    frames : tuple of int
        The numbers that the frames have in the file.
    """

    def __init__(
        self,
        path: Path,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        frames: tuple[int, ...],
    ) -> None:
        self.frames = frames
        super().__init__(path, shape, dtype, math.prod(shape) // len(frames))
        self.origin = f"{path}, from frame {frames[0]}"

    def __reduce__(self) -> tuple[Any, ...]:
        return Nd2Array, (self.path, self.shape, self.dtype, self.frames)

    def decoded(self, number: int) -> NDArray[Any]:
        """Return one frame with all its channels."""
        with reader_of("nd2", self.path, WHAT).ND2File(self.path) as file:
            return np.array(file.read_frame(self.frames[number]))


def _frames(file: Any, position: int) -> list[int]:
    """Return the numbers of the frames of a position."""
    where: tuple[dict[str, int], ...] = file.loop_indices or ({},)
    return [n for n, at in enumerate(where) if at.get("P", 0) == position]


def _facts(file: Any, sizes: dict[str, int]) -> OmeFacts:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about frame times that are not needed
        channels = file.metadata.channels or []
    if not channels:
        return OmeFacts()
    volume, microscope = channels[0].volume, channels[0].microscope
    lengths = zip("XYZ", volume.axesCalibration, volume.axesCalibrated, strict=True)
    claims = {
        axis: Claim(length, "µm")
        for axis, length, known in lengths
        if known and axis in sizes
    }
    lens = attributes(
        LensNA=microscope.objectiveNumericalAperture,
        RefractiveIndex=microscope.immersionRefractiveIndex,
        NominalMagnification=microscope.objectiveMagnification,
        Model=microscope.objectiveName,
    )
    light = tuple(
        attributes(
            EmissionWavelength=channel.channel.emissionLambdaNm,
            ExcitationWavelength=channel.channel.excitationLambdaNm,
            Color=_colour(channel.channel.color),
        )
        for channel in channels
    )
    return OmeFacts(
        read_voxels(claims, "its ND2 header"),
        tuple(str(channel.channel.name) for channel in channels),
        acquisition=Acquisition(_interval(file), light, lens),
    )


def _colour(colour: Any) -> int:
    """Return a colour as OME-XML writes it: a signed number of RGBA."""
    value = (colour.r << 24) | (colour.g << 16) | (colour.b << 8) | 255
    return value - (1 << 32) if value >= 1 << 31 else value


def _interval(file: Any) -> float | None:
    """Return the time between frames in seconds, if it is constant by design."""
    for loop in file.experiment:
        if loop.type == "TimeLoop":
            measured = getattr(loop.parameters.periodDiff, "avg", 0)
            period = loop.parameters.periodMs or measured
            return period / 1000 if period and period > 0 else None
    return None
