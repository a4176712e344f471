"""Available memory, and returning freed memory to the system."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

import psutil

__all__ = ["available_memory", "release_memory"]


def available_memory() -> int:
    """Return the bytes of RAM that are available now."""
    return int(psutil.virtual_memory().available)


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
