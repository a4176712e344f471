"""Lengths in micrometres, whatever the file calls its unit."""

from __future__ import annotations

import codecs
import math
from typing import Any

__all__ = ["micrometres"]

MICROMETRES = {
    "pm": 1e-6,
    "å": 1e-4,
    "angstrom": 1e-4,
    "nm": 1e-3,
    "nanometer": 1e-3,
    "nanometre": 1e-3,
    "um": 1.0,
    "µm": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "micrometre": 1.0,
    "mm": 1e3,
    "millimeter": 1e3,
    "millimetre": 1e3,
    "cm": 1e4,
    "centimeter": 1e4,
    "centimetre": 1e4,
    "inch": 25.4e3,
    "inches": 25.4e3,
    "in": 25.4e3,
    "m": 1e6,
    "meter": 1e6,
    "metre": 1e6,
}


def micrometres(value: Any, unit: str | None) -> float | None:
    """Return a length in micrometres, or None where it cannot be known.

    Parameters
    ----------
    value : number or str
        The length; zero, negative, not finite or no number at all is "unknown".
    unit : str or None
        A unit of length in any of the spellings that files use; ``"pixel"`` and
        other units that are no lengths are "unknown".
    """
    try:
        length = float(value)
    except (TypeError, ValueError):
        return None
    factor = MICROMETRES.get(_plain(unit or ""))
    if factor is None or not math.isfinite(length) or length <= 0:
        return None
    return length * factor


def _plain(unit: str) -> str:
    # ImageJ writes µ as the seven characters \\u00B5; some programs escape it twice.
    for _ in range(2):
        if "\\u" in unit:
            unit = codecs.decode(unit.encode("latin-1", "replace"), "unicode_escape")
    return unit.strip().replace("\u03bc", "µ").lower()
