"""From the lengths in a header to a voxel size, with notes on anything unusual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from napari_blurgan.axes import VoxelSize
from napari_blurgan.checks import VOXEL_RANGE
from napari_blurgan.headers.units import is_length, micrometres

__all__ = ["Claim", "Voxels", "read_voxels"]

# Written by programs if an image is not calibrated.
UNCALIBRATED = ("", "pixel", "pixels", "px", "voxel", "voxels", "reference frame")
ODD_RATIO = 100.0


@dataclass(frozen=True)
class Claim:
    """A length in a header.

    Parameters
    ----------
    value : Any
        A number, or text that should be one.
    unit : str or None
        As the header spells it; None where it gives none.
    """

    value: Any
    unit: str | None


@dataclass(frozen=True)
class Voxels:
    """A voxel size, its origin, and notes on it.

    Parameters
    ----------
    size : tuple of (float or None)
        (z, y, x) in micrometres; None where unknown.
    source : str
        The header that gave it; empty where none did.
    notes : tuple of str
        What was taken as unknown and why, what looks wrong.
    """

    size: VoxelSize = (None, None, None)
    source: str = ""
    notes: tuple[str, ...] = ()


def read_voxels(claims: Mapping[str, Claim], source: str) -> Voxels:
    """Return the voxel size according to a header.

    A length without a unit, with an invalid unit, or impossible for a voxel (outside
    `VOXEL_RANGE`, not finite, not positive) is unknown, with a note.

    Parameters
    ----------
    claims : mapping of str to Claim
        By axis, of Z, Y and X; an axis of which the header says nothing is missing.
    source : str
        What to call the header in notes, "its OME-XML".
    """
    found = {axis: _length(axis, claim, source) for axis, claim in claims.items()}
    sizes = {axis: length for axis, (length, _) in found.items() if length}
    notes = [note for _, note in found.values() if note]
    for (one, a), (other, b) in combinations(sizes.items(), 2):
        if max(a, b) > ODD_RATIO * min(a, b):
            notes.append(
                f"{source} gives voxels of {a:g} µm along {one.lower()} and {b:g} µm "
                f"along {other.lower()}: is one of them in a different unit?"
            )
    size = (sizes.get("Z"), sizes.get("Y"), sizes.get("X"))
    return Voxels(size, source if sizes else "", tuple(notes))


def _length(axis: str, claim: Claim, source: str) -> tuple[float | None, str]:
    """Return a length in µm, with a note if necessary."""
    unit = (claim.unit or "").strip()
    said = f"{source} gives {claim.value!s:.40} {unit:.40}".strip()
    said += f" along {axis.lower()}"
    if unit.lower() in UNCALIBRATED and _is_one(claim.value):
        return None, ""
    if not unit:
        return None, f"{said} without a unit: treated as unknown"
    if not is_length(unit):
        return None, (
            f"{said}: {unit:.40} is not a unit of length: the size is treated as "
            f"unknown"
        )
    length = micrometres(claim.value, unit)
    if length is None or not VOXEL_RANGE[0] <= length <= VOXEL_RANGE[1]:
        return None, f"{said}: an impossible voxel size, treated as unknown"
    return length, ""


def _is_one(value: Any) -> bool:
    try:
        return float(value) in (0.0, 1.0)
    except (TypeError, ValueError, OverflowError):
        return False
