"""Objective and fluorophores in the metadata of a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import tifffile

from napari_blurgan.headers.acquisition import Acquisition
from napari_blurgan.headers.ome_xml import read_ome

__all__ = ["channel_optics", "optics_in", "optics_of"]

Known = dict[str, float]
IMMERSIONS = {
    "Oil": 1.515,
    "Water": 1.333,
    "WaterDipping": 1.333,
    "Glycerol": 1.47,
    "Air": 1.0,
}
"""Refractive indices, if the file names only the medium."""
NANOMETRES = {"nm": 1.0, "µm": 1e3, "um": 1e3, "Å": 0.1}


def channel_optics(path: str | Path) -> list[Known | None]:
    """Return na, ni and wavelength (nm) of each channel of an OME-TIFF.

    None for a channel for which one of the three is missing; an empty list without
    OME-XML.
    """
    try:
        with tifffile.TiffFile(path) as tif:
            xml = tif.ome_metadata
        return optics_in(xml) if xml else []
    except (OSError, ValueError, tifffile.TiffFileError, ElementTree.ParseError):
        return []


def optics_in(xml: str) -> list[Known | None]:
    """Return na, ni and wavelength (nm) of each channel of the first image.

    Raises
    ------
    xml.etree.ElementTree.ParseError
        If `xml` is not well-formed.
    """
    return optics_of(read_ome(xml).acquisition)


def optics_of(taken: Acquisition | None) -> list[Known | None]:
    """Return na, ni and wavelength (nm) of each channel, as the image was taken.

    Parameters
    ----------
    taken : Acquisition or None
        The metadata of an image of any format.
    """
    if taken is None:
        return []
    na, ni = _objective(taken.lens)
    waves = [_wavelength(channel) for channel in taken.channels]
    return [
        {"na": na, "ni": ni, "wavelength": wave} if na and ni and wave else None
        for wave in waves
    ]


def _objective(lens: Mapping[str, str]) -> tuple[float | None, float | None]:
    """Return aperture and refractive index of the objective."""
    index = _positive(lens.get("RefractiveIndex"))
    named = IMMERSIONS.get(lens.get("Immersion", ""))
    return _positive(lens.get("LensNA")), index or named


def _wavelength(channel: Mapping[str, str]) -> float | None:
    value = _positive(channel.get("EmissionWavelength"))
    factor = NANOMETRES.get(channel.get("EmissionWavelengthUnit", "nm"))
    return None if value is None or factor is None else value * factor


def _positive(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None
