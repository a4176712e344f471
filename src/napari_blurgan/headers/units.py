"""Lengths in micrometres, for any spelling of the unit."""

from __future__ import annotations

import math
import re
from typing import Any

__all__ = ["is_length", "micrometres"]

PREFIXES = {
    "yotta": ("Y", 30),
    "zetta": ("Z", 27),
    "exa": ("E", 24),
    "peta": ("P", 21),
    "tera": ("T", 18),
    "giga": ("G", 15),
    "mega": ("M", 12),
    "kilo": ("k", 9),
    "hecto": ("h", 8),
    "deca": ("da", 7),
    "": ("", 6),
    "deci": ("d", 5),
    "centi": ("c", 4),
    "milli": ("m", 3),
    "micro": ("µ", 0),
    "nano": ("n", -3),
    "pico": ("p", -6),
    "femto": ("f", -9),
    "atto": ("a", -12),
    "zepto": ("z", -15),
    "yocto": ("y", -18),
}
OTHERS = {
    "angstrom": 1e-4,
    "ångström": 1e-4,
    "foot": 304.8e3,
    "inch": 25.4e3,
    "inches": 25.4e3,
    "mile": 1609.344e6,
    "parsec": 3.0856775814913673e22,
    "yard": 914.4e3,
    "micron": 1.0,
    "thou": 25.4,
    "line": 25.4e3 / 12,
    "point": 25.4e3 / 72,
}
SYMBOLS = {f"{s}m": 10.0**n for s, n in PREFIXES.values()} | {
    "um": 1.0,
    "µ": 1.0,
    "Å": 1e-4,
    "å": 1e-4,
    "in": 25.4e3,
    '"': 25.4e3,
    "ft": 304.8e3,
    "yd": 914.4e3,
    "mi": 1609.344e6,
    "li": 25.4e3 / 12,
    "pt": 25.4e3 / 72,
    "ua": 1.495978707e17,
    "ly": 9.4607304725808e21,
    "pc": OTHERS["parsec"],
}
NAMES = (
    {f"{p}meter": 10.0**n for p, (_, n) in PREFIXES.items()}
    | {f"{p}metre": 10.0**n for p, (_, n) in PREFIXES.items()}
    | OTHERS
)
# Programs write "MICRON" and "UM"; but "Mm" is a megametre, and "MM" is invalid.
LOWER = {s.lower(): s for s in SYMBOLS if s == s.lower()}


def micrometres(value: Any, unit: str | None) -> float | None:
    """Return a length in micrometres, or None if it is unknown.

    Parameters
    ----------
    value : number or str
        The length; zero, negative, not finite or no number at all is "unknown".
    unit : str or None
        A unit of length in any of the spellings that files use: symbols, names and
        plurals of every unit of OME and of OME-Zarr. ``"pixel"`` and other units
        that are no lengths are "unknown".
    """
    try:
        length = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    factor = _factor(unit)
    if factor is None or not length > 0 or not math.isfinite(length * factor):
        return None
    if factor == 1:
        return length
    # 1e-7 m is 0.1 µm, in spite of rounding
    return float(f"{length * factor:.12g}")


def is_length(unit: str | None) -> bool:
    """Return whether `unit` is a unit of length in a known spelling."""
    return _factor(unit) is not None


def _factor(unit: str | None) -> float | None:
    """Return the number of micrometres in a unit."""
    plain = _plain(unit or "")
    if plain in SYMBOLS:
        return SYMBOLS[plain]
    lower = plain.lower()
    if lower in LOWER:
        return SYMBOLS[LOWER[lower]]
    return NAMES.get(lower, NAMES.get(lower.removesuffix("s")))


def _plain(unit: str) -> str:
    # ImageJ writes µ as the six characters \\u00B5; some programs escape their
    # backslash once more, as \\u005C.
    for _ in range(2):
        unit = re.sub(
            r"\\+u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), unit
        )
    return unit.strip().replace("\u03bc", "µ").replace("\u212b", "Å")
