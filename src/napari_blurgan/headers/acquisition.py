"""Acquisition metadata that survive processing: interval, light, lens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from xml.etree import ElementTree

__all__ = ["Acquisition", "acquisition_of"]

CHANNEL = (
    "EmissionWavelength",
    "EmissionWavelengthUnit",
    "ExcitationWavelength",
    "ExcitationWavelengthUnit",
    "Fluor",
    "Color",
)
LENS = ("LensNA", "Immersion", "NominalMagnification", "Model", "Manufacturer")
SECONDS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Acquisition:
    """Metadata that a result inherits from its source, besides geometry and names.

    Attributes
    ----------
    interval : float or None
        Between time points, in seconds.
    channels : tuple of mapping
        The attributes of each channel that OME-XML knows: wavelengths, dye, colour.
    lens : mapping
        Attributes of the objective, and the refractive index that was set.
    image : str
        What the program that took the image calls it.
    """

    interval: float | None = None
    channels: tuple[Mapping[str, str], ...] = ()
    lens: Mapping[str, str] = field(default_factory=dict)
    image: str = ""

    def only(self, channel: int) -> Acquisition:
        """Return the metadata of one channel."""
        return replace(self, channels=self.channels[channel : channel + 1])

    def for_ome(self, axes: str, channels: int) -> dict[str, Any]:
        """Return the arguments of tifffile for OME-XML, for a number of channels.

        Parameters
        ----------
        axes : str
            Of the result.
        channels : int
            Of the result; attributes of another number of channels are left out.
        """
        found: dict[str, Any] = {"Name": self.image} if self.image else {}
        if self.interval is not None and "T" in axes:
            found |= {"TimeIncrement": self.interval, "TimeIncrementUnit": "s"}
        if len(self.channels) == channels:
            found["Channel"] = _columns(self.channels)
        return found


def _columns(channels: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """Return the attributes that all channels have, each as a list."""
    known = [name for name in CHANNEL if all(name in channel for channel in channels)]
    return {name: [channel[name] for channel in channels] for name in known}


def acquisition_of(root: ElementTree.Element) -> Acquisition:
    """Return the acquisition metadata of the first image in OME-XML."""
    image, pixels = root.find(".//{*}Image"), root.find(".//{*}Pixels")
    if image is None or pixels is None:
        return Acquisition()
    channels = pixels.findall("{*}Channel")
    return Acquisition(
        _interval(pixels),
        tuple({n: c.attrib[n] for n in CHANNEL if n in c.attrib} for c in channels),
        _lens(root, image),
        image.get("Name", ""),
    )


def _interval(pixels: ElementTree.Element) -> float | None:
    factor = SECONDS.get(pixels.get("TimeIncrementUnit", "s"))
    try:
        value = float(pixels.get("TimeIncrement", ""))
    except ValueError:
        return None
    return value * factor if factor and 0 < value < float("inf") else None


def _lens(root: ElementTree.Element, image: ElementTree.Element) -> dict[str, str]:
    """Return the objective, if it is unambiguous."""
    settings = image.find("{*}ObjectiveSettings")
    used = {} if settings is None else settings.attrib
    objectives = list(root.iterfind(".//{*}Objective"))
    chosen = [o for o in objectives if o.get("ID") == used.get("ID")] or objectives
    if len(chosen) != 1:
        return {}
    lens = {name: chosen[0].attrib[name] for name in LENS if name in chosen[0].attrib}
    index = used.get("RefractiveIndex")
    return lens | ({"RefractiveIndex": index} if index else {})
