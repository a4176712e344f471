"""Available memory, amounts of it in words, and its return to the system."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

import psutil

__all__ = ["available_memory", "in_bytes", "release_memory"]


def available_memory() -> int:
    """Return the bytes of RAM that are available now."""
    return int(psutil.virtual_memory().available)


def in_bytes(count: int) -> str:
    """Return a number of bytes for people to read, in kB, MB or GB."""
    for unit, size, digits in (("GB", 1e9, 2), ("MB", 1e6, 1)):
        if count >= size / 10:
            return f"{count / size:.{digits}f} {unit}"
    return f"{count / 1e3:.1f} kB"


def release_memory() -> None:
    """Let the C library return freed memory that it keeps.

    glibc returns only the top of its heap by itself: one small allocation above the
    buffers of a blur can keep all of them for minutes. This takes a few milliseconds;
    with another C library nothing happens.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> ctypes._NamedFuncPointer | None:
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
